"""Changes behind a link: upload, make folders, move, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ...models import Done, Entry, Upload, UploadedPart, UploadParts
from ...web import Routes
from .answers import DeleteSpec, FolderSpec, MoveSpec, PartQuery, PutQuery, UploadQuery, UploadSpec
from .call import Call

routes = Routes("data-links/{link_id}/", "person")

BODY = 32 * 1024 * 1024  # a small file at once, or one part


@routes.route("PUT", "upload", Entry, query=PutQuery, takes=BODY)
async def put(call: Call) -> Entry:
    """Upload a small file; the body is the file."""
    return await call.service.engine.put(
        call.person, call.path["link_id"], call.query.path, call.body, call.query.replace
    )


@routes.route("POST", "uploads", Upload, body=UploadSpec)
async def begin_upload(call: Call) -> Upload:
    """Begin an upload in parts."""
    asked: UploadSpec = call.body
    return await call.service.engine.begin_upload(
        call.person, call.path["link_id"], asked.path, asked.size, asked.replace
    )


@routes.route("PUT", "uploads/part", UploadedPart, query=PartQuery, takes=BODY)
async def put_part(call: Call) -> UploadedPart:
    """Send one part; the body is the part. Sent again it replaces what was there."""
    asked: PartQuery = call.query
    return await call.service.engine.put_part(
        call.person, call.path["link_id"], asked.id, asked.number, call.body
    )


@routes.route("POST", "uploads/finish", Entry, query=UploadQuery, body=UploadParts)
async def finish_upload(call: Call) -> Entry:
    """Make the file of its parts."""
    return await call.service.engine.finish_upload(
        call.person, call.path["link_id"], call.query.id, call.body.parts
    )


@routes.route("DELETE", "uploads", None, query=UploadQuery, status=204)
async def abort_upload(call: Call) -> None:
    """Give an upload up and throw its parts away."""
    await call.service.engine.abort_upload(call.person, call.path["link_id"], call.query.id)


@routes.route("POST", "folders", Entry, body=FolderSpec)
async def make_folder(call: Call) -> Entry:
    """Make a folder."""
    return await call.service.engine.make_folder(call.person, call.path["link_id"], call.body.path)


@routes.lines("POST", "move", Done, body=MoveSpec)
def move(call: Call) -> AsyncIterator[Done]:
    """Rename or move a file or a folder; lines tell how far it is. Close to stop between two files."""
    asked: MoveSpec = call.body
    return call.service.engine.move(
        call.person, call.path["link_id"], asked.source, asked.target, asked.replace
    )


@routes.lines("POST", "delete", Done, body=DeleteSpec)
def delete(call: Call) -> AsyncIterator[Done]:
    """Delete files and folders with all that is in them; lines tell how far it is. Close to stop."""
    return call.service.engine.delete(call.person, call.path["link_id"], call.body.paths)
