// What a program does with a WebSocket, by the browsers' API, which npm's ws has as well. It returns what it saw.
async function session(WebSocket, url, protocols) {
  const open = () => new Promise((resolve, reject) => {
    const ws = new WebSocket(url, protocols);
    ws.binaryType = "arraybuffer";
    ws.onopen = () => resolve(ws);
    ws.onerror = () => reject(new Error("no connection"));
  });
  const ask = (ws, data) => new Promise((resolve) => {
    ws.onmessage = (e) => resolve(e.data);
    ws.send(data);
  });
  const closed = (ws) => new Promise((resolve) => {
    ws.onerror = () => {};
    ws.onclose = (e) => resolve([e.code, e.reason, e.wasClean]);
  });
  const saw = {};

  let ws = await open();
  saw.protocol = ws.protocol;
  saw.text = await ask(ws, "héllo € 𝄞");
  saw.empty = await ask(ws, "");
  saw.binary = Array.from(new Uint8Array(await ask(ws, new Uint8Array([0, 255, 128]))));
  saw.large = (await ask(ws, "large")).length; // comes in frames of 32 KB
  saw.repeated = (await ask(ws, "gatekit ".repeat(2000))).length;
  let end = closed(ws);
  ws.close(4001, "bye");
  saw.closedByClient = await end;

  ws = await open();
  end = closed(ws);
  ws.send("close me");
  saw.closedByServer = await end;

  ws = await open();
  end = closed(ws);
  // Random, so that no compression brings it below the limit of a frame.
  let noise = "";
  while (noise.length < 200000) noise += Math.random().toString(36).slice(2);
  ws.send(noise);
  saw.tooBig = await end;

  ws = await open();
  end = closed(ws);
  ws.close();
  saw.closedWithoutCode = await end;
  return saw;
}
if (typeof module !== "undefined") module.exports = session;
