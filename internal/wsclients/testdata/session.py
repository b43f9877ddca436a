import asyncio
import json
import random
import sys

import websockets


async def session(url):
    saw = {}

    def connect():
        return websockets.connect(url, subprotocols=["other", "chat"], max_size=None)

    async def ask(ws, data):
        await ws.send(data)
        return await ws.recv()

    async def closed(ws):
        try:
            while True:
                await ws.recv()
        except websockets.ConnectionClosed as e:
            return [ws.close_code, ws.close_reason, e.rcvd is not None]

    async with connect() as ws:
        saw["protocol"] = ws.subprotocol
        saw["text"] = await ask(ws, "héllo € 𝄞")
        saw["empty"] = await ask(ws, "")
        saw["binary"] = list(await ask(ws, bytes([0, 255, 128])))
        saw["large"] = len(await ask(ws, "large"))
        saw["repeated"] = len(await ask(ws, "gatekit " * 2000))
        saw["fragments"] = await ask(ws, ["in ", "three ", "parts"])
        await (await ws.ping(b"are you there?"))
        await ws.close(4001, "bye")
        saw["closedByClient"] = [ws.close_code, ws.close_reason, True]
    async with connect() as ws:
        await ws.send("close me")
        saw["closedByServer"] = await closed(ws)
    async with connect() as ws:
        await ws.send("".join(random.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(200000)))
        saw["tooBig"] = await closed(ws)
    print(json.dumps(saw))


asyncio.run(session(sys.argv[1]))
