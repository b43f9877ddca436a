'use strict';
const greeting = require('greeting');
let calls = 0;

exports.handler = async (event, context) => {
  calls++;
  switch (event.do) {
    case 'throw': throw new TypeError(event.text);
    case 'throw-text': throw event.text;
    case 'exit': process.exit(9);
    case 'hang': await new Promise(() => setInterval(() => {}, 1000));
    case 'never': await new Promise(() => {}); // nothing is left that could settle it
    case 'reject': Promise.reject(new Error(event.text)); return new Promise(resolve => setTimeout(resolve, 10000));
    case 'crash': setTimeout(() => { throw new RangeError(event.text); }, 1); return new Promise(resolve => setTimeout(resolve, 10000));
    case 'throw-odd': throw Object.assign(new Error(event.text), {name: 42});
    case 'throw-nothing': throw Object.create(null);
    case 'throw-long': throw new Error(event.text.repeat(1e6));
    case 'globals': return Object.getOwnPropertyNames(globalThis);
    case 'typeof': return (0, eval)(`typeof ${event.text}`); // as other scripts see it
    case 'bigint': return 1n;
    case 'environment': return process.env;
    case 'context': return [context.functionName, context.functionVersion, context.memoryLimitInMB, context.invokedFunctionArn,
      context.awsRequestId.length, context.getRemainingTimeInMillis() > 0, context.getRemainingTimeInMillis() <= 2100, process.cwd() === __dirname];
  }
  console.log('call', calls);
  return [greeting, calls, event.text];
};
