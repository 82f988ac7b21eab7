"""Reads a stream of events with sseclient-py and prints each as a line of JSON, until `until` was seen so many times.

    events.py URL UNTIL TIMES [LAST_EVENT_ID]

The cookie is in MUSTER_COOKIE; without one the address has to carry a ticket.
"""

import json
import os
import sys

import requests
import sseclient

url, until, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
headers = {"Accept": "text/event-stream"}
if os.environ.get("MUSTER_COOKIE"):
    headers["Cookie"] = os.environ["MUSTER_COOKIE"]
if len(sys.argv) > 4:
    headers["Last-Event-ID"] = sys.argv[4]
with requests.get(url, headers=headers, stream=True, timeout=60) as response:
    response.raise_for_status()
    for event in sseclient.SSEClient(response).events():
        print(json.dumps({"event": event.event, "id": event.id, "data": json.loads(event.data)}), flush=True)
        if event.event == until:
            times -= 1
            if times == 0:
                break
