(subject, payload) => ({ triggered_on: subject, payload: String.fromCharCode(...payload) })
