import {basename} from 'node:path';
const started = await Promise.resolve('started');
export const handler = async event => [started, basename(import.meta.url), event.text];
