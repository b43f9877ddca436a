import os
import sys
import time
from decimal import Decimal

from src import greeting

calls = 0


class Odd(Exception):
    pass


def handler(event, context):
    global calls
    calls += 1
    do, text = event.get("do"), event.get("text")
    if do == "raise":
        raise Odd(text)
    if do == "exit":
        sys.exit(5)
    if do == "hang":
        time.sleep(3600)
    if do == "object":
        return object()
    if do == "decimal":
        return Decimal("1.5")
    if do == "environment":
        return dict(os.environ)
    if do == "context":
        return [context.function_name, context.memory_limit_in_mb, context.invoked_function_arn, len(context.aws_request_id),
                0 < context.get_remaining_time_in_millis() <= 2100, context.identity.cognito_identity_id, context.client_context, os.getcwd() == os.path.dirname(__file__)]
    print("call", calls)
    return [greeting.word, calls, text]
