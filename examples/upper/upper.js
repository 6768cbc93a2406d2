// A function: the file evaluates to it. It is called for every message on its
// trigger subject, in a context of its own; what it returns, as JSON, is the
// answer. State that must last goes through a host service.
(subject, payload) => {
  const text = String.fromCharCode(...payload);
  const bytes = (value) => Uint8Array.from(value, (character) => character.charCodeAt(0));
  const seen = hostServices.kv.keys().includes('calls')
    ? Number(String.fromCharCode(...hostServices.kv.get('calls')))
    : 0;
  hostServices.kv.set('calls', bytes(String(seen + 1)));
  console.log(`call ${seen + 1} on ${subject}`);
  return { upper: text.toUpperCase(), calls: seen + 1 };
}
