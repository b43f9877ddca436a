exports.api = {
  get: (event, context, callback) => setTimeout(callback, 1, null, `got ${event.text}`),
  fail: (event, context, callback) => callback(new Error(event.text)),
  fail_text: (event, context, callback) => callback(event.text),
  succeed: (event, context) => context.succeed(event.text),
  silent: () => 'what a handler that is no promise returns is nothing',
};
