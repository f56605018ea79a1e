"""The lines of ``jupyterhub_config.py`` that make studios run on a forge."""

from __future__ import annotations

from typing import Any

from .template import ALL, Capacity

Json = dict[str, Any]

TITLES = {
    "on-demand": ("AWS", "Machines that stay as long as the studio runs."),
    "spot": (
        "AWS spot",
        "Cheaper. AWS may take the machine back, two minutes after it says so: the studio starts again elsewhere.",
    ),
    "gpu": ("AWS with GPUs", "Machines with NVIDIA GPUs."),
}


def environments(forge: str, region: str, outputs: dict[str, str]) -> dict[str, Json]:
    """Entries of ``c.Studios.compute_environments`` from a stack's outputs, by id."""
    kinds = [kind for kind in ALL if f"{kind.logical}Queue" in outputs]
    return {f"{forge}-{kind.id}": _environment(kind, forge, region, outputs) for kind in kinds}


def _environment(kind: Capacity, forge: str, region: str, outputs: dict[str, str]) -> Json:
    title, description = TITLES[kind.id]
    first, last = outputs["GatePorts"].split("-")
    return {
        "title": title,
        "description": description,
        "kind": "aws-batch",
        "region": region,
        "work_dir": outputs["WorkDir"],
        "store_options": {"region": region},
        "scratch": outputs["ScratchFolder"],
        "gate_ports": (int(first), int(last)),
        "gate_networks": outputs["Networks"].split(","),
        "batch": {
            "queue": outputs[f"{kind.logical}Queue"],
            "job_role": outputs["JobRole"],
            "log_group": outputs["LogGroup"],
            "bundle": outputs["AgentFolder"],
            "tags": {outputs["TagKey"]: forge},
        },
    }


def snippet(forge: str, region: str, outputs: dict[str, str]) -> str:
    """To be pasted. It adds to what the configuration offers already."""
    lines = [
        f"# Studios on AWS Batch: the forge “{forge}” in {region}.",
        "c.Studios.compute_environments.update(",
    ]
    lines += _written(environments(forge, region, outputs), 1)
    lines += [
        ")",
        'c.Studios.public_url = "https://hub.example.org/"  # yours: the Hub, as machines of the VPC reach it',
    ]
    return "\n".join(lines) + "\n"


def _written(value: Any, depth: int, name: str = "", comma: str = "") -> list[str]:
    indent, head = "    " * depth, f'"{name}": ' if name else ""
    if not isinstance(value, dict):
        return [f"{indent}{head}{_literal(value)}{comma}"]
    inner = [line for key, item in value.items() for line in _written(item, depth + 1, key, ",")]
    return [f"{indent}{head}{{", *inner, f"{indent}}}{comma}"]


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)
