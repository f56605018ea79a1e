import * as React from "react";
import { crumbsOf } from "../paths";
import { visible } from "../text";
import type { LinkView } from "../types";
import { Icon, ProviderIcon } from "../ui/icons";

interface CrumbsProps {
  link: LinkView;
  path: string;
  onLinks?: () => void;
  onPath: (path: string) => void;
}

/** The way from the list of links to this folder. What has no room is scrolled to the end, where one is. */
export function Crumbs({ link, path, onLinks, onPath }: CrumbsProps) {
  const list = React.useRef<HTMLOListElement>(null);
  React.useEffect(() => {
    if (list.current !== null) list.current.scrollLeft = list.current.scrollWidth;
  }, [path]);
  const crumbs = [{ name: link.name, path: "" }, ...crumbsOf(path)];
  return (
    <nav className="dx-crumbs" aria-label="Place">
      <ol ref={list}>
        {onLinks !== undefined && (
          <li>
            <button type="button" onClick={onLinks} className="dx-crumb">
              <Icon name="back" /> Data
            </button>
          </li>
        )}
        {crumbs.map((crumb, index) => (
          <li key={crumb.path}>
            {(index > 0 || onLinks !== undefined) && (
              <span className="dx-crumb-apart" aria-hidden="true">
                /
              </span>
            )}
            <button
              type="button"
              className="dx-crumb"
              aria-current={index === crumbs.length - 1 ? "location" : undefined}
              title={index === 0 ? link.url : crumb.path}
              onClick={() => onPath(crumb.path)}
            >
              {index === 0 && <ProviderIcon provider={link.provider} />}
              <span className="dx-crumb-name">{visible(crumb.name)}</span>
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
