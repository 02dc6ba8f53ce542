"""Makes the schema small: without prose, and with what occurs often said once."""
import json
from collections import Counter

PROSE = ("description", "default", "deprecated")


def is_schema(x):
    return isinstance(x.get("type"), (str, list)) or isinstance(x.get("anyOf"), list)


def strip(x):
    if isinstance(x, dict):
        prose = lambda k, v: k in PROSE and not isinstance(v, dict)
        return {k: strip(v) for k, v in x.items() if not prose(k, v)}
    return [strip(v) for v in x] if isinstance(x, list) else x


def texts(x):
    if isinstance(x, dict):
        if is_schema(x):
            yield json.dumps(x, sort_keys=True)
        for v in x.values():
            yield from texts(v)
    elif isinstance(x, list):
        for v in x:
            yield from texts(v)


def share(x, shared, top=False):
    if isinstance(x, dict):
        name = None if top or not is_schema(x) else shared.get(json.dumps(x, sort_keys=True))
        if name:
            return {"$ref": f"#/definitions/{name}"}
        return {k: share(v, shared) for k, v in x.items()}
    return [share(v, shared) for v in x] if isinstance(x, list) else x


def relax(x):
    """A data source adds properties of its own to an annotation."""
    if isinstance(x, dict):
        if {"iconColor", "enable"} <= x.get("properties", {}).keys():
            x["additionalProperties"] = True
        for v in x.values():
            relax(v)
    elif isinstance(x, list):
        for v in x:
            relax(v)


schema = strip(json.load(open("board.schema.json")))
often = sorted((t for t, n in Counter(texts(schema)).items() if n > 1 and len(t) > 200), key=len)
shared = {text: f"shared{number}" for number, text in enumerate(often)}
squeezed = share(schema, shared, True)
squeezed["definitions"] = {name: share(json.loads(t), shared, True) for t, name in shared.items()}
relax(squeezed)
squeezed["$comment"] = "Made from @grafana/schema (Apache-2.0): see README.md"
json.dump(squeezed, open("dashboard.schema.json", "w"), indent=1, sort_keys=True)
