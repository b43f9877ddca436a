export const title = id => `book ${id}`;
