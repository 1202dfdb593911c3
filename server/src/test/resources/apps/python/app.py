import asyncio
import os

from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/me")
def me(
    x_forwarded_preferred_username: str = Header(),
    x_forwarded_host: str = Header(),
    authorization: str | None = Header(default=None),
):
    return {
        "user": x_forwarded_preferred_username,
        "host": x_forwarded_host,
        "authorization": authorization,
        "app": os.environ["DATABRICKS_APP_NAME"],
        "uid": os.getuid(),
    }


@app.get("/events")
async def events():
    async def numbers():
        for number in range(1_000_000):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.1)

    return StreamingResponse(numbers(), media_type="text/event-stream")


@app.post("/length")
async def length(body: dict):
    return {"length": len(body["text"])}
