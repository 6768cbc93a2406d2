// What functions see as `hostServices`. `ask` gives an array of Uint8Arrays or
// throws a text; `parse` reads JSON. Both are the host's, and so cannot be
// replaced by the function.
(ask, parse) => {
  const need = (value, what) => {
    if (value === undefined || value === null || value === '') throw `${what} is required`;
    return String(value);
  };
  const text = (value, key, what) => {
    if (value === undefined || value === null) throw `${what} are required`;
    return need(key, 'key');
  };
  const one = (...asked) => ask(...asked)[0];
  const http = (method) => (url, body) => {
    const answer = parse(one('http', method, need(url, 'url'), body));
    const headers = {};
    for (const name of Object.keys(answer.headers ?? {})) headers[name] = answer.headers[name].join(', ');
    const response = { status: answer.status, headers };
    if (method !== 'head' && answer.body) response.response = answer.body;
    return response;
  };
  const reading = (method) => { const call = http(method); return (url) => call(url); };
  return {
    http: {
      get: reading('get'), head: reading('head'), delete: reading('delete'),
      post: http('post'), put: http('put'), patch: http('patch'),
    },
    kv: {
      get: (key) => one('kv', 'get', need(key, 'key')),
      set: (key, value) => { ask('kv', 'set', text(value, key, 'key and value'), value); },
      delete: (key) => { ask('kv', 'delete', need(key, 'key')); },
      keys: () => parse(one('kv', 'keys', undefined)),
    },
    messaging: {
      publish: (subject, body) => { ask('messaging', 'publish', need(subject, 'subject'), body); },
      request: (subject, body) => one('messaging', 'request', need(subject, 'subject'), body),
      requestMany: (subject, body) => ask('messaging', 'requestMany', need(subject, 'subject'), body),
    },
    objectStore: {
      get: (name) => one('objectstore', 'get', need(name, 'name')),
      put: (name, body) => parse(one('objectstore', 'put', text(body, name, 'name and value'), body)),
      delete: (name) => { ask('objectstore', 'delete', need(name, 'name')); },
      list: () => parse(one('objectstore', 'list', undefined)),
    },
  };
}
