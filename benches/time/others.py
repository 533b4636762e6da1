"""What does Python do? The benchmark's window by dateutil and croniter.

Usage: others.py ZONE FROM COUNT; FROM is local midnight. For each line on
stdin, `starts NAME` or `time NAME`, one line on stdout: the starts in seconds
since 1970, or the processor time of computing them, in nanoseconds.
"""

import sys
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter
from dateutil.rrule import FR, MO, TH, TU, WE, WEEKLY, rrule

ZONE = ZoneInfo(sys.argv[1])
FROM = datetime.fromisoformat(sys.argv[2]).replace(tzinfo=ZONE)
COUNT = int(sys.argv[3])


def dateutil():
    first = FROM + timedelta(hours=22)
    rule = rrule(WEEKLY, dtstart=first, byweekday=(MO, TU, WE, TH, FR), count=COUNT)
    return [int(start.timestamp()) for start in rule]


def cron():
    starts = croniter("0 22 * * 1-5", FROM)
    return [int(starts.get_next(float)) for _ in range(COUNT)]


CONTESTANTS = {"dateutil": dateutil, "croniter": cron}

for line in sys.stdin:
    question, name = line.split()
    before = time.process_time_ns()
    starts = CONTESTANTS[name]()
    elapsed = time.process_time_ns() - before
    print(elapsed if question == "time" else " ".join(map(str, starts)), flush=True)
