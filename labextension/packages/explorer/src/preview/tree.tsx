import * as React from "react";
import { count } from "../text";
import type { Node, TreePreview } from "../types";
import { Icon } from "../ui/icons";
import { Facts } from "./table";

/** The groups and arrays of an HDF5 file; of AnnData also what they mean. */
export function TreeView({ preview }: { preview: TreePreview }) {
  const { nodes, facts, truncated, format } = preview;
  return (
    <div className="dx-text">
      <div className="dx-text-bar">
        <span>
          {format} · {count(nodes.length, "node")}
          {truncated && " listed, there are more"}
        </span>
      </div>
      <div className="dx-lines" tabIndex={0} role="region" aria-label="Tree">
        {facts.length > 0 && <Facts facts={facts} />}
        <ul className="dx-tree">
          {nodes.map((node) => (
            <TreeLine key={node.path} node={node} />
          ))}
        </ul>
      </div>
    </div>
  );
}

function TreeLine({ node }: { node: Node }) {
  const parts = node.path.split("/").filter(Boolean);
  return (
    <li style={{ paddingInlineStart: `${0.5 + 1.1 * Math.max(0, parts.length - 1)}rem` }}>
      <Icon
        name={node.kind === "group" ? "folder" : "table"}
        className={node.kind === "group" ? "dx-kind-folder" : ""}
      />
      <strong>{parts.at(-1) ?? "/"}</strong>
      {node.shape !== null && <span>{node.shape.length === 0 ? "scalar" : node.shape.join(" × ")}</span>}
      {node.type !== "" && <code>{node.type}</code>}
      {node.detail !== "" && <span className="dx-tree-detail">{node.detail}</span>}
    </li>
  );
}
