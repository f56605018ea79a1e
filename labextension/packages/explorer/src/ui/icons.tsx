import * as React from "react";
import type { Entry, Provider } from "../types";
import { SHARED_SHAPES } from "./shapes";

const EYE = "M2 8s2.2-4 6-4 6 4 6 4-2.2 4-6 4-6-4-6-4zM6.4 8a1.6 1.6 0 1 0 3.2 0 1.6 1.6 0 0 0-3.2 0";

/** 16×16 line icons drawn in the text's colour. Always beside a word or a name, so hidden from screen readers. */
const SHAPES = {
  ...SHARED_SHAPES,
  folder: (
    <path
      d="M1.8 4.2a1 1 0 0 1 1-1h3.4l1.6 1.7h5.4a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H2.8a1 1 0 0 1-1-1z"
      fill="currentColor"
      fillOpacity="0.18"
    />
  ),
  file: <path d="M9 1.8H4.3a1 1 0 0 0-1 1v10.4a1 1 0 0 0 1 1h7.4a1 1 0 0 0 1-1V5.5zM9 1.8v3.7h3.7" />,
  text: (
    <path d="M9 1.8H4.3a1 1 0 0 0-1 1v10.4a1 1 0 0 0 1 1h7.4a1 1 0 0 0 1-1V5.5zM9 1.8v3.7h3.7M5.7 8.2h4.6M5.7 10.9h3.2" />
  ),
  table: (
    <>
      <rect x="2" y="2.8" width="12" height="10.4" rx="1" />
      <path d="M2 6.3h12M2 9.7h12M6.2 6.3v6.9" />
    </>
  ),
  image: (
    <>
      <rect x="2" y="2.8" width="12" height="10.4" rx="1" />
      <circle cx="5.6" cy="6.2" r="1.1" />
      <path d="m2.6 12 3.6-3.4 2.2 2 2.6-2.8 2.6 2.6" />
    </>
  ),
  notebook: (
    <path d="M3.5 2h8.2a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H3.5zM5.6 2v12M2.2 4.6h2.2M2.2 8h2.2M2.2 11.4h2.2M7.8 5.2h2.8" />
  ),
  archive: <path d="M2.2 5.2h11.6v7.6a1 1 0 0 1-1 1H3.2a1 1 0 0 1-1-1zM1.8 2.4h12.4v2.8H1.8zM6.3 8h3.4" />,
  tree: <path d="M2.5 3h4v2.6h-4zM9.5 6.7h4v2.6h-4zM9.5 11h4v2.6h-4zM4.5 5.6v6.7h5M4.5 8h5" />,
  document: (
    <path d="M9 1.8H4.3a1 1 0 0 0-1 1v10.4a1 1 0 0 0 1 1h7.4a1 1 0 0 0 1-1V5.5zM9 1.8v3.7h3.7M5.8 11.3l1.4-3.6 1.4 3.6M6.3 10.2h1.9" />
  ),
  star: <path d="m8 2.2 1.75 3.7 4.05.55-2.95 2.83.72 4.02L8 11.35 4.43 13.3l.72-4.02L2.2 6.45l4.05-.55z" />,
  starred: (
    <path
      d="m8 2.2 1.75 3.7 4.05.55-2.95 2.83.72 4.02L8 11.35 4.43 13.3l.72-4.02L2.2 6.45l4.05-.55z"
      fill="currentColor"
    />
  ),
  folderPlus: (
    <path d="M14.2 8V5.9a1 1 0 0 0-1-1H7.8L6.2 3.2H2.8a1 1 0 0 0-1 1v7.7a1 1 0 0 0 1 1h5.4M12 9.6v4.6M9.7 11.9h4.6" />
  ),
  upload: <path d="M8 10V2.8M5 5.6l3-3 3 3M2.5 10.5v2a1 1 0 0 0 1 1h9a1 1 0 0 0 1-1v-2" />,
  move: (
    <path d="M1.8 12V4.2a1 1 0 0 1 1-1h3.4l1.6 1.7h5.4a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1H2.8a1 1 0 0 1-1-1zM5.4 9h5M8.6 7.2 10.4 9l-1.8 1.8" />
  ),
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1" />
      <path d="M10.5 5.3V3.5a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h1.8" />
    </>
  ),
  link: (
    <path d="M6.7 9.3a2.6 2.6 0 0 0 3.7 0l2.2-2.2a2.6 2.6 0 0 0-3.7-3.7l-.8.8M9.3 6.7a2.6 2.6 0 0 0-3.7 0L3.4 8.9a2.6 2.6 0 0 0 3.7 3.7l.8-.8" />
  ),
  code: <path d="M5.2 4.5 1.8 8l3.4 3.5M10.8 4.5 14.2 8l-3.4 3.5M9.2 3 6.8 13" />,
  more: (
    <>
      <circle cx="3.4" cy="8" r="1.1" fill="currentColor" stroke="none" />
      <circle cx="8" cy="8" r="1.1" fill="currentColor" stroke="none" />
      <circle cx="12.6" cy="8" r="1.1" fill="currentColor" stroke="none" />
    </>
  ),
  filter: <path d="M2 3.5h12M4.4 8h7.2M6.6 12.5h2.8" />,
  sum: <path d="M12.2 4.4V3H3.8L8 8l-4.2 5h8.4v-1.4" />,
  key: (
    <>
      <circle cx="5" cy="10.8" r="2.7" />
      <path d="m7 8.9 6-6M10.6 5.2l2 2M9 6.9l1.2 1.2" />
    </>
  ),
  people: (
    <>
      <circle cx="5.8" cy="5.4" r="2.1" />
      <path d="M1.8 13a4 4 0 0 1 8 0M10.2 3.5a2.1 2.1 0 0 1 0 3.9M11.4 9.3a4 4 0 0 1 2.8 3.7" />
    </>
  ),
  hidden: <path d={`${EYE}M3 13 13 3`} />,
  shown: <path d={EYE} />,
  database: (
    <>
      <ellipse cx="8" cy="3.9" rx="5.2" ry="1.9" />
      <path d="M2.8 3.9v8.2c0 1.05 2.33 1.9 5.2 1.9s5.2-.85 5.2-1.9V3.9M2.8 8c0 1.05 2.33 1.9 5.2 1.9S13.2 9.05 13.2 8" />
    </>
  ),
  wrap: <path d="M2 3.5h12M2 12.5h4M2 8h9.7a2.2 2.2 0 0 1 0 4.5H9M10.5 10.8 8.8 12.5l1.7 1.7" />,
} satisfies Record<string, React.ReactNode>;

export type IconName = keyof typeof SHAPES | "spin";

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  if (name === "spin") return <span className={`dx-spin ${className}`} aria-hidden="true" />;
  return (
    <svg
      className={`dx-icon ${className}`}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.3"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[name]}
    </svg>
  );
}

export const PROVIDER_NAMES: Record<Provider, string> = {
  s3: "S3",
  gcs: "Google Cloud Storage",
  azure: "Azure Blob Storage",
  folder: "Folder",
  other: "Other filesystem",
};

/** Own simple shapes, one for each kind of store: a bucket, a hexagon, a triangle of tiles, a folder, stacked discs. */
const PROVIDER_SHAPES: Record<Provider, React.ReactNode> = {
  s3: (
    <>
      <path d="M5 8.2h14l-1.7 11.1a1.8 1.8 0 0 1-1.8 1.5H8.5a1.8 1.8 0 0 1-1.8-1.5z" fillOpacity="0.3" />
      <ellipse cx="12" cy="7.4" rx="7.4" ry="2.9" />
      <path d="M6.2 13.6h11.6l-.35 2.3H6.55z" />
    </>
  ),
  gcs: (
    <>
      <path d="M12 2.6 20.2 7.3v9.4L12 21.4 3.8 16.7V7.3z" fillOpacity="0.3" />
      <path d="M7.4 8.3h9.2v3H7.4zM7.4 12.8h9.2v3H7.4z" />
    </>
  ),
  azure: (
    <>
      <path d="M3.5 5.5h17v13h-17z" fillOpacity="0.3" />
      <path d="M3.5 5.5h17v3.6h-17zM6 11.5h5v4.6H6zM13 11.5h5v4.6h-5z" />
    </>
  ),
  folder: (
    <>
      <path d="M3 8h18v10.2a1.3 1.3 0 0 1-1.3 1.3H4.3A1.3 1.3 0 0 1 3 18.2z" fillOpacity="0.3" />
      <path d="M3 9.5V6.3A1.3 1.3 0 0 1 4.3 5h4.9l2.3 2.4h8.2A1.3 1.3 0 0 1 21 8.7v.8z" />
    </>
  ),
  other: (
    <>
      <circle cx="12" cy="12" r="9" fillOpacity="0.3" />
      <circle cx="12" cy="12" r="4" />
    </>
  ),
};

export function ProviderIcon({ provider }: { provider: Provider }) {
  return (
    <span className={`dx-provider dx-provider-${provider}`} role="img" aria-label={PROVIDER_NAMES[provider]}>
      <svg viewBox="0 0 24 24" fill="currentColor" focusable="false" aria-hidden="true">
        {PROVIDER_SHAPES[provider]}
      </svg>
    </span>
  );
}

const ENDINGS: [RegExp, IconName][] = [
  [/\.(csv|tsv|parquet|bam|cram|sam|vcf|bcf|bed|fastq|fq|fasta|fa|arrow|feather|xlsx?)(\.b?gz)?$/i, "table"],
  [/\.(png|jpe?g|gif|webp|svg|bmp|tiff?|avif)$/i, "image"],
  [/\.ipynb$/i, "notebook"],
  [/\.(zip|tar|tgz|tar\.\w+|bz2|xz|zst|7z|rar)$/i, "archive"],
  [/\.(h5|hdf5|h5ad|loom|nc|zarr)$/i, "tree"],
  [/\.(pdf|html?)$/i, "document"],
  [
    /\.(txt|log|md|json|ya?ml|toml|ini|cfg|conf|py|r|rmd|sh|bash|nf|config|groovy|js|ts|xml|sql)(\.gz)?$/i,
    "text",
  ],
  [/^\.(command|exitcode|fusion)/, "text"],
];

export function EntryIcon({ entry }: { entry: Pick<Entry, "kind" | "name"> }) {
  const name =
    entry.kind === "folder" ? "folder" : (ENDINGS.find(([ending]) => ending.test(entry.name))?.[1] ?? "file");
  return <Icon name={name} className={`dx-entry-icon dx-kind-${name}`} />;
}
