/** Below a list that has another page. */
export function More({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" className="btn btn-outline-secondary st-more" onClick={onClick}>
      Show more
    </button>
  );
}
