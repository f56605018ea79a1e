import { useRef } from "react";
import { usePage } from "../hooks/page";
import { Link } from "../hooks/router";

export function NotFound() {
  const heading = useRef<HTMLHeadingElement>(null);
  usePage("Not found", heading);
  return (
    <div className="st-empty">
      <h1 ref={heading} tabIndex={-1}>
        There is no such page
      </h1>
      <p>The address may be mistyped, or what it showed was deleted.</p>
      <Link className="btn btn-primary" to="">
        All studios
      </Link>
    </div>
  );
}
