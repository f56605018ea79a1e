import type { Picked } from "./uploads";

/** The files of a drop, those in folders too. Must be called in the drop's own event: it is empty afterwards. */
export function dropped(data: DataTransfer): Promise<Picked[]> {
  const entries: FileSystemEntry[] = [];
  const files: File[] = [];
  for (const item of Array.from(data.items)) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    if (entry !== null) entries.push(entry);
    else {
      const file = item.getAsFile();
      if (file !== null) files.push(file);
    }
  }
  return below(entries).then((found) => [...found, ...files.map((file) => ({ file, path: file.name }))]);
}

async function below(entries: FileSystemEntry[], folder = ""): Promise<Picked[]> {
  const found: Picked[] = [];
  for (const entry of entries) {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      found.push({ file, path: folder + entry.name });
    } else {
      const children = await listed(entry as FileSystemDirectoryEntry);
      found.push(...(await below(children, `${folder}${entry.name}/`)));
    }
  }
  return found;
}

/** Browsers give a folder's entries in batches, and an empty one at the end. */
async function listed(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}

/** Has the browser ask for files or for a folder. Nothing chosen: it never answers. */
export function ask(kind: "files" | "folder"): Promise<Picked[]> {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  if (kind === "folder") input.setAttribute("webkitdirectory", "");
  return new Promise((resolve) => {
    input.addEventListener("change", () => {
      resolve(
        Array.from(input.files ?? []).map((file) => ({
          file,
          path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath,
        })),
      );
    });
    input.click();
  });
}
