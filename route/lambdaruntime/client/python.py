# Runs the handler of a Python function: loads it, asks the runtime API for events and posts its answers.


def _main():
    import decimal
    import http.client
    import importlib
    import json
    import logging
    import os
    import sys
    import time
    import traceback

    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def request(method, to, body=None, headers=None):
        api.request(method, "/2018-06-01/runtime/" + to, body, headers or {})
        answer = api.getresponse()
        return answer.headers, answer.read()

    def text_of(why):
        try:
            return str(why)[:32768]
        except Exception:
            return "an exception without a text"

    def post_error(to, kind, why, frames):
        try:
            sys.stderr.write("".join(traceback.format_exception(type(why), why, why.__traceback__)))
        except Exception:
            pass  # the function has closed it
        body = {"errorMessage": text_of(why), "errorType": kind, "stackTrace": [frame[:4096] for frame in frames[-50:]]}
        ascii_kind = kind.encode("ascii", "replace").decode()[:256]
        request("POST", to, json.dumps(body).encode(), {"Content-Type": "application/json", "Lambda-Runtime-Function-Error-Type": ascii_kind})

    class Handler(logging.StreamHandler):  # the root logger has one on Lambda: what is logged as INFO isn't lost
        def __init__(self):
            super().__init__()
            form = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
            form.converter = time.gmtime
            self.setFormatter(form)
            self.request_id = ""

        def filter(self, record):
            record.aws_request_id = self.request_id
            return super().filter(record)

        def handleError(self, record):
            pass  # the function has closed what it writes to

    log = Handler()
    logging.getLogger().addHandler(log)

    def load(root, name):
        sys.path[0] = root
        module, _, function = name.rpartition(".")
        try:
            loaded = importlib.import_module(module.replace("/", "."))
        except SyntaxError as why:
            raise Failed("Runtime.UserCodeSyntaxError", why)
        except ImportError as why:
            raise Failed("Runtime.ImportModuleError", ImportError("Unable to import module '%s': %s" % (module, why)))
        try:
            return getattr(loaded, function)
        except AttributeError:
            raise Failed("Runtime.HandlerNotFound", AttributeError("Handler '%s' missing on module '%s'" % (function, module)))

    class Failed(Exception):
        def __init__(self, kind, why):
            self.kind, self.why = kind, why

    class Part:  # of the context: what isn't there is None
        def __init__(self, members):
            self.__dict__.update(members or {})

        def __getattr__(self, name):
            return None

    class Context:
        def __init__(self, headers):
            self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
            self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
            self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
            self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
            self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
            self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
            self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
            self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
            client, identity = headers["Lambda-Runtime-Client-Context"], headers["Lambda-Runtime-Cognito-Identity"]
            self.client_context = Part(json.loads(client)) if client else None
            self.identity = Part(json.loads(identity) if identity else None)

        def log(self, text):
            print(text)

        def get_remaining_time_in_millis(self):
            return max(0, self._deadline - int(time.time() * 1000))

    def number(value):
        if isinstance(value, decimal.Decimal):
            return float(value)
        raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)

    def invoke(handler, headers, text):
        try:
            event = json.loads(text)
        except ValueError as why:
            raise Failed("Runtime.UnmarshalError", why)
        value = handler(event, Context(headers))
        try:
            return json.dumps(value, ensure_ascii=False, default=number).encode()
        except (TypeError, ValueError) as why:
            raise Failed("Runtime.MarshalError", why)

    try:
        handler = load(os.environ["LAMBDA_TASK_ROOT"], os.environ["_HANDLER"])
    except Failed as failed:
        post_error("init/error", failed.kind, failed.why, [])
        sys.exit(1)
    except Exception as why:
        post_error("init/error", type(why).__name__, why, traceback.format_tb(why.__traceback__))
        sys.exit(1)
    while True:
        try:
            headers, text = request("GET", "invocation/next")
        except OSError:
            sys.exit(1)  # whoever started this is gone
        log.request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        to = "invocation/" + log.request_id
        if headers["Lambda-Runtime-Trace-Id"]:
            os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        try:
            body = invoke(handler, headers, text)
        except Failed as failed:
            post_error(to + "/error", failed.kind, failed.why, [])
        except Exception as why:
            post_error(to + "/error", type(why).__name__, why, traceback.format_tb(why.__traceback__)[2:])
        else:
            request("POST", to + "/response", body, {"Content-Type": "application/json"})


_main()
