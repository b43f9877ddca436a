import {title} from './titles.mjs';

// What a book's id says is what the function does.
export const handler = async event => {
  const {id} = event.pathParameters;
  switch (id) {
    case 'crash': process.exit(3);
    case 'hang': return new Promise(() => setInterval(() => {}, 1000));
    case 'print': for (let i = 0; i < 2000; i++) console.log('x'.repeat(1000));
  }
  return {id, title: title(id), table: process.env.TABLE, reader: event.requestContext.authorizer.jwt.claims.sub};
};
