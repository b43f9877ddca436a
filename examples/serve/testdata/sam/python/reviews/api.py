import os

from .words import praise


def handler(event, context):
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "%s: %s (%s)" % (event["pathParameters"]["id"], praise, os.environ["TABLE"])}
