"""Good answers, changed: what broken or odd upstreams say. Each takes and gives the bytes of a body."""
import json
import re
from datetime import datetime


def spoilt_utf8(body):
    return re.sub(rb':\s*"', lambda found: found.group() + b"\xff\xfe", body)


def spoilt_labels(body):
    return body.replace(b'="', b'="\xff')


def deep(_):
    return b'{"items":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def changed_values(value, change):
    if isinstance(value, dict):
        return {key: changed_values(member, change) for key, member in value.items()}
    if isinstance(value, list):
        return [changed_values(member, change) for member in value]
    return change(value)


def with_every_number(body, change):
    def changed(value):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        return change(value)
    return json.dumps(changed_values(json.loads(body), changed)).encode()


def huge(body):
    return with_every_number(body, lambda value: 10 ** 30 + int(value))


def huge_samples(body):
    return re.sub(rb"(?m)^([^#\n].*) \S+$", rb"\1 1e400", body)


def with_more_fields(body, text):
    """`text` as one more field of the outermost object, or of each object in the outermost list."""
    def one_more(value):
        written = json.dumps(value)
        if not isinstance(value, dict):
            return written
        return '{"aFieldThatNobodyReads": %s%s%s' % (text, ", " if value else "", written[1:])
    document = json.loads(body)
    if isinstance(document, list):
        return ("[" + ", ".join(one_more(value) for value in document) + "]").encode()
    return one_more(document).encode()


def twice(body):
    """Every key of every object twice: nonsense, then the good value."""
    def written(value):
        if isinstance(value, dict):
            return "{" + ", ".join(f'{json.dumps(key)}: ["of two"], {json.dumps(key)}: {written(member)}'
                                   for key, member in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(written, value)) + "]"
        return json.dumps(value)
    return written(json.loads(body)).encode()


def samples_twice(body):
    return re.sub(rb"(?m)^([^#\n].*)$", rb"\1\n\1", body)


def shifted(body, by):
    """Every moment later by a timedelta; Go's zero time stays what it is."""
    def other(found):
        if found.group().startswith(b"0001"):
            return found.group()
        return (datetime.fromisoformat(found.group().decode()) + by).isoformat().encode()
    return re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?=[.Z+-])", other, body)
