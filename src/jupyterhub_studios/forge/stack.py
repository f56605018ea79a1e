"""A CloudFormation stack: what would change, the change, and how it goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from ..models import StudiosError
from .account import Account, told
from .causes import mend, shown
from .settings import TAG

POLL = 3.0  # seconds between two looks at a stack
CHANGE_SET = "studios-forge"
NOTHING = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    action: str  # Add, Modify, Remove
    name: str
    type: str
    replaced: bool = False


@dataclass(frozen=True)
class State:
    """A stack that exists."""

    id: str
    status: str
    reason: str
    outputs: dict[str, str]
    ours: bool  # made by a forge

    @property
    def busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class Plan:
    change_set: str
    stack_id: str
    changes: list[Change]
    new: bool


@dataclass(frozen=True)
class Event:
    at: datetime
    name: str
    type: str
    status: str
    reason: str
    whole: bool  # of the stack itself

    @property
    def done(self) -> bool:
        return self.status.endswith("_COMPLETE")

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


@dataclass
class Stack:
    account: Account
    name: str
    poll: float = POLL
    _seen: set[str] = field(default_factory=set)

    @property
    def _formation(self) -> Any:
        return self.account.client("cloudformation")

    def state(self) -> State | None:
        """The stack as it is; None when there is none."""
        with told(f"The stack {self.name} cannot be read"):
            try:
                found = self._formation.describe_stacks(StackName=self.name)["Stacks"][0]
            except ClientError as error:
                if "does not exist" in error.response["Error"]["Message"]:
                    return None
                raise
        if found["StackStatus"] == "DELETE_COMPLETE":
            return None
        return State(
            id=found["StackId"],
            status=found["StackStatus"],
            reason=shown(found.get("StackStatusReason", "")),
            outputs={o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])},
            ours=any(tag["Key"] == TAG for tag in found.get("Tags", [])),
        )

    def plan(self, template: str, forge: str, *, new: bool) -> Plan:
        """A change set. It changes nothing until :meth:`execute`; :meth:`forget` takes it back."""
        title = f"What would change in {self.name} cannot be found out"
        with told(title):
            made = self._formation.create_change_set(
                StackName=self.name,
                ChangeSetName=CHANGE_SET,
                ChangeSetType="CREATE" if new else "UPDATE",
                TemplateBody=template,
                Capabilities=["CAPABILITY_IAM"],
                Tags=[{"Key": TAG, "Value": forge}],
            )
        plan = Plan(made["Id"], made["StackId"], [], new)
        while True:
            with told(title):
                found = self._formation.describe_change_set(
                    ChangeSetName=plan.change_set, StackName=plan.stack_id
                )
            if found["Status"] == "CREATE_COMPLETE":
                return Plan(plan.change_set, plan.stack_id, self._changes(plan), new)
            if found["Status"] == "FAILED":
                self.forget(plan)
                reason = found.get("StatusReason", "")
                if any(word in reason for word in NOTHING):
                    return Plan("", plan.stack_id, [], new)
                raise StudiosError(title, shown(reason), mend(reason), status=422)
            time.sleep(self.poll)

    def _changes(self, plan: Plan) -> list[Change]:
        pages = self._formation.get_paginator("describe_change_set")
        with told(f"What would change in {self.name} cannot be read"):
            found = [
                change["ResourceChange"]
                for page in pages.paginate(ChangeSetName=plan.change_set, StackName=plan.stack_id)
                for change in page["Changes"]
            ]
        return [
            Change(c["Action"], c["LogicalResourceId"], c["ResourceType"], c.get("Replacement") == "True")
            for c in found
        ]

    def forget(self, plan: Plan) -> None:
        """Takes a plan back, with the empty stack that one for a new stack leaves."""
        with told(f"The change set of {self.name} cannot be removed"):
            self._formation.delete_change_set(ChangeSetName=plan.change_set, StackName=plan.stack_id)
            if plan.new:
                self._formation.delete_stack(StackName=plan.stack_id)

    # --- doing it ---

    def execute(self, plan: Plan) -> Iterator[Event]:
        """Carries a plan out; yields what happens until it is over."""
        self._mark(plan.stack_id)
        with told(f"{self.name} cannot be changed"):
            self._formation.execute_change_set(ChangeSetName=plan.change_set, StackName=plan.stack_id)
        yield from self._follow(plan.stack_id)

    def delete(self, stack_id: str) -> Iterator[Event]:
        self._mark(stack_id)
        with told(f"{self.name} cannot be removed"):
            self._formation.delete_stack(StackName=stack_id)
        yield from self._follow(stack_id)

    def _mark(self, stack_id: str) -> None:
        """What has happened so far is not news."""
        self._seen = set()
        self._news(stack_id)

    def _follow(self, stack_id: str) -> Iterator[Event]:
        """By events alone: the stack's own status lags behind a request, its newest event does not."""
        while True:
            for event in self._news(stack_id):
                yield event
                if event.whole and not event.status.endswith("_IN_PROGRESS"):
                    return
            time.sleep(self.poll)

    def _news(self, stack_id: str) -> list[Event]:
        found: list[Event] = []
        pages = self._formation.get_paginator("describe_stack_events")
        with told(f"The events of {self.name} cannot be read"):
            for page in pages.paginate(StackName=stack_id):  # newest first
                fresh = [e for e in page["StackEvents"] if e["EventId"] not in self._seen]
                self._seen |= {e["EventId"] for e in fresh}
                found += [_event(e, stack_id) for e in fresh]
                if len(fresh) < len(page["StackEvents"]):
                    break
        return found[::-1]


def _event(given: dict[str, Any], stack_id: str) -> Event:
    return Event(
        at=given["Timestamp"],
        name=given["LogicalResourceId"],
        type=given["ResourceType"],
        status=given["ResourceStatus"],
        reason=shown(given.get("ResourceStatusReason", "")),
        whole=given.get("PhysicalResourceId") == stack_id,
    )


def failure(events: list[Event], what: str) -> StudiosError | None:
    """Why it did not go well: the first thing that failed by itself, not those that were called off with it."""
    last = next((e for e in reversed(events) if e.whole), None)
    if last is None or (last.done and "ROLLBACK" not in last.status):
        return None
    first = next((e for e in events if e.failed and "cancelled" not in e.reason.lower()), last)
    kind = first.type.removeprefix("AWS::").replace("::", " ")
    return StudiosError(
        f"{what} failed at {first.name} ({kind})",
        first.reason or first.status,
        mend(first.reason),
        status=502,
    )
