// Runs the handler of a Node function: loads it, asks the runtime API for events and posts its answers.
// What is named here is no global of the function's code.
(() => {
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const {builtinModules, createRequire} = require('node:module');
const {pathToFileURL} = require('node:url');

const env = process.env;
const [host, port] = env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({keepAlive: true, maxSockets: 1});
let current; // the event whose answer is due
const maxText = 32768; // of an error's message and trace

function request(method, to, headers, body) {
  return new Promise((resolve, reject) => {
    const r = http.request({host, port, method, agent, headers, path: `/2018-06-01/runtime/${to}`}, answer => {
      const chunks = [];
      answer.on('data', chunk => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({headers: answer.headers, text: Buffer.concat(chunks).toString()}));
    });
    r.on('error', reject);
    r.end(body);
  });
}

function post(to, text, headers = {}) {
  const body = Buffer.from(text);
  return request('POST', to, {'Content-Type': 'application/json', 'Content-Length': body.length, ...headers}, body);
}

// textOf is a member of what was thrown, which may be anything: a getter or a toString that throws, too.
function textOf(why, member, otherwise) {
  try {
    const text = member ? why[member] : String(why);
    return typeof text === 'string' ? text.slice(0, maxText) : otherwise;
  } catch {
    return otherwise;
  }
}

function show(why) {
  try {
    console.error(why);
  } catch {} // it has an inspect of its own
}

function postError(to, type, why) {
  const isError = why instanceof Error;
  if (isError) show(why);
  const errorType = type || (isError ? textOf(why, 'name', 'Error') : typeof why);
  const errorMessage = isError ? textOf(why, 'message', '') : textOf(why, '', 'an object without a text');
  const trace = isError ? textOf(why, 'stack', '').split('\n') : [];
  const header = errorType.replace(/[^\x20-\x7e]/g, '?').slice(0, 256);
  return post(to, JSON.stringify({errorType, errorMessage, trace}), {'Lambda-Runtime-Function-Error-Type': header});
}

// answer answers the event once; a second answer is nobody's.
async function answer(event, value, failed, type) {
  if (event.answered) return;
  event.answered = true;
  let text = 'null';
  if (!failed) {
    try {
      text = JSON.stringify(value) ?? 'null';
    } catch (why) {
      [failed, value, type] = [true, why, 'Runtime.MarshalError'];
    }
  }
  const to = `invocation/${event.id}`;
  await (failed ? postError(`${to}/error`, type, value) : post(`${to}/response`, text));
  event.done();
}

const isFile = file => fs.statSync(file, {throwIfNoEntry: false})?.isFile();

function isModule(file) {
  if (!file.endsWith('.js')) return file.endsWith('.mjs');
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    if (isFile(path.join(dir, 'package.json'))) return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'))).type === 'module';
    if (dir === path.dirname(dir)) return false;
  }
}

const typed = (errorType, why) => Object.assign(why, {errorType});

async function load(root, name) {
  const at = name.lastIndexOf('/') + 1;
  const [, module, exported] = /^([^.]*)\.(.*)$/.exec(name.slice(at));
  const base = path.resolve(root, name.slice(0, at), module);
  let found;
  try {
    const file = ['', '.js', '.mjs', '.cjs'].map(end => base + end).find(isFile);
    const require = createRequire(path.join(root, 'index.js'));
    found = file && isModule(file) ? await import(pathToFileURL(file)) : require(file || require.resolve(base));
  } catch (why) {
    if (!(why instanceof Error)) throw why;
    const missing = why.code === 'MODULE_NOT_FOUND' || why.code === 'ERR_MODULE_NOT_FOUND';
    throw missing ? typed('Runtime.ImportModuleError', why) : why instanceof SyntaxError ? typed('Runtime.UserCodeSyntaxError', why) : why;
  }
  const handler = exported.split('.').reduce((of, key) => of?.[key], found);
  if (typeof handler !== 'function') throw typed('Runtime.HandlerNotFound', new Error(`${name} is undefined or not exported`));
  return handler;
}

function contextOf(event, headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const json = text => text && JSON.parse(text);
  const done = (why, value) => (why == null ? answer(event, value) : answer(event, why, true)).catch(fatal);
  return {
    awsRequestId: event.id,
    callbackWaitsForEmptyEventLoop: true,
    clientContext: json(headers['lambda-runtime-client-context']),
    identity: json(headers['lambda-runtime-cognito-identity']),
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    done, succeed: value => done(null, value), fail: why => done(why ?? 'failed'),
  };
}

function fatal(why) {
  if (why?.code !== 'ECONNREFUSED' && why?.code !== 'ECONNRESET') show(why);
  process.exit(1);
}

// crash is an error that nobody caught: the event fails, and the process ends.
async function crash(type, why) {
  if (current && !current.answered) await answer(current, why, true, type).catch(() => {});
  else show(why);
  process.exit(128);
}

// asFile removes globals that a program of the command line has, and no file. A handler that lacks its own
// require('fs'), or is a module and calls require, would work here and fail on Lambda.
function asFile() {
  const common = ['console', 'crypto', 'process'];
  for (const name of [...builtinModules, 'require', 'module', 'exports', '__filename', '__dirname']) {
    if (!common.includes(name)) delete globalThis[name];
  }
}

async function main() {
  await null; // node has set the last of them once this program's text is through
  asFile();
  let handler;
  try {
    handler = await load(env.LAMBDA_TASK_ROOT, env._HANDLER);
  } catch (why) {
    await postError('init/error', why?.errorType, why);
    process.exit(1);
  }
  process.on('uncaughtException', why => crash(textOf(why, 'name') || 'Runtime.UncaughtException', why));
  process.on('unhandledRejection', why => crash('Runtime.UnhandledPromiseRejection', why));
  // Nothing is left that could answer: an event whose handler never called back gets null.
  process.on('beforeExit', () => current && answer(current, null).catch(fatal));
  for (;;) {
    const {headers, text} = await request('GET', 'invocation/next');
    if (headers['lambda-runtime-trace-id']) env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
    const event = {id: headers['lambda-runtime-aws-request-id']};
    const over = new Promise(resolve => { event.done = resolve; });
    current = event;
    const context = contextOf(event, headers);
    try {
      const result = handler(JSON.parse(text), context, context.done);
      if (typeof result?.then === 'function') answer(event, await result).catch(fatal);
    } catch (why) {
      answer(event, why, true).catch(fatal);
    }
    await over;
    current = undefined;
  }
}

main().catch(fatal);
})();
