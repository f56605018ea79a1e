import type { DataClient } from "../client";
import { isPassing, toProblem } from "../problems";
import type { Entry, Upload, UploadedPart } from "../types";

export interface Sending {
  link: string;
  path: string;
  file: File;
  replace: boolean;
  signal: AbortSignal;
  /** Bytes that have arrived. */
  progress: (sent: number) => void;
}

/** Up to this size a file is one request; the API takes 32 MiB at once, but smaller pieces show how far it is. */
export const WHOLE = 8 * 2 ** 20;
const PARTS_AT_ONCE = 3;
const PART_TRIES = 3;

/** Sends one file, whole or in parts. A failed or cancelled one leaves nothing behind in the store. */
export async function sendFile(client: DataClient, sending: Sending): Promise<Entry> {
  const { link, path, file, replace, signal } = sending;
  if (file.size <= WHOLE) return client.put(link, path, replace, file, signal);
  const upload = await client.beginUpload(link, path, file.size, replace, signal);
  try {
    const parts = await sendParts(client, sending, upload);
    return await client.finishUpload(link, upload.id, parts, signal);
  } catch (error) {
    await client.abortUpload(link, upload.id).catch(() => undefined);
    throw error;
  }
}

async function sendParts(client: DataClient, sending: Sending, upload: Upload): Promise<UploadedPart[]> {
  const { link, file, signal, progress } = sending;
  const many = Math.ceil(file.size / upload.part_size);
  const parts: UploadedPart[] = [];
  // One part that fails for good ends its siblings too.
  const stop = new AbortController();
  const end = (): void => stop.abort();
  signal.addEventListener("abort", end);
  let next = 1;
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (next <= many) {
      const number = next++;
      const body = file.slice((number - 1) * upload.part_size, number * upload.part_size);
      const part = await persistently(() => client.putPart(link, upload.id, number, body, stop.signal));
      stop.signal.throwIfAborted();
      parts[number - 1] = part;
      sent += body.size;
      progress(sent);
    }
  };
  try {
    await Promise.all(Array.from({ length: upload.parallel ? PARTS_AT_ONCE : 1 }, lane));
  } finally {
    stop.abort();
    signal.removeEventListener("abort", end);
  }
  return parts;
}

/** A part that fails in passing is sent again: the others need not be. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries >= PART_TRIES || error instanceof DOMException || !isPassing(toProblem(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 3 ** (tries - 1)));
    }
  }
}
