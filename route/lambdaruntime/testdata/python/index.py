import logging
import os
import sys
import time
from decimal import Decimal

from src import greeting

calls = 0


class Odd(Exception):
    pass


class Speechless(Exception):
    def __str__(self):
        raise ValueError()


def handler(event, context):
    global calls
    calls += 1
    do, text = event.get("do"), event.get("text")
    if do == "raise":
        raise Odd(text)
    if do == "raise-odd":
        raise Speechless()
    if do == "raise-silently":
        sys.stderr = None
        raise Odd(text)
    if do == "raise-long":
        raise Odd(text * 1000000)
    if do == "log":
        logging.getLogger().setLevel(logging.INFO)
        logging.getLogger("orders").info(text)
        context.log("said " + text)
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
