import { useState, type ReactNode } from "react";
import { useApp } from "../hooks/app";
import { useLostAt, useNow } from "../hooks/reach";
import { Link, useRouter } from "../hooks/router";
import { duration } from "../text";
import { toggleTheme } from "../theme";
import { Icon } from "./icons";

/** The frame of every page: the Hub's navigation bar, the banner of a lost connection, the page. */
export function Layout({ children }: { children: ReactNode }) {
  const wide = useInData();
  return (
    <>
      <a className="st-skip" href="#content">
        Skip to the content
      </a>
      <Navbar />
      <main
        id="content"
        className={wide ? "container-fluid st-main st-main-wide" : "container st-main"}
        tabIndex={-1}
      >
        <LostBanner />
        {children}
      </main>
    </>
  );
}

function useInData(): boolean {
  const { path } = useRouter().route;
  return path === "data" || path.startsWith("data/");
}

function Navbar() {
  const { config } = useApp();
  const data = useInData();
  const everybodys = useRouter().route.path === "admin";
  const [open, setOpen] = useState(false);
  return (
    <nav className="navbar navbar-expand-sm bg-body-tertiary mb-4" aria-label="JupyterHub">
      <div className="container-fluid">
        <span id="jupyterhub-logo" className="navbar-brand">
          <a href={config.hub}>
            <img src={`${config.hub}logo`} alt="JupyterHub" className="jpy-logo" />
          </a>
        </span>
        <button
          type="button"
          className="navbar-toggler"
          aria-controls="thenavbar"
          aria-expanded={open}
          aria-label="Menu"
          onClick={() => setOpen(!open)}
        >
          <Icon name="menu" />
        </button>
        <div className={`collapse navbar-collapse ${open ? "show" : ""}`} id="thenavbar">
          <ul className="navbar-nav me-auto mb-0">
            <li className="nav-item">
              <a className="nav-link" href={`${config.hub}home`}>
                Home
              </a>
            </li>
            <li className="nav-item">
              <Link className={`nav-link ${data || everybodys ? "" : "active"}`} to="">
                Studios
              </Link>
            </li>
            <li className="nav-item">
              <Link className={`nav-link ${data ? "active" : ""}`} to="data">
                Data
              </Link>
            </li>
            <li className="nav-item">
              <a className="nav-link" href={`${config.hub}token`}>
                Token
              </a>
            </li>
            {config.user.admin && (
              <li className="nav-item">
                <Link className={`nav-link ${everybodys ? "active" : ""}`} to="admin">
                  All studios
                </Link>
              </li>
            )}
            {config.user.admin && (
              <li className="nav-item">
                <a className="nav-link" href={`${config.hub}admin`}>
                  Admin
                </a>
              </li>
            )}
          </ul>
          <div className="st-nav-end">
            <button
              type="button"
              className="btn btn-sm"
              aria-label="Toggle dark mode"
              title="Toggle dark mode"
              onClick={toggleTheme}
            >
              <Icon name="theme" />
            </button>
            <span>{config.user.name}</span>
            <a className="btn btn-sm btn-outline-contrast" href={config.logout}>
              <Icon name="leave" /> Logout
            </a>
          </div>
        </div>
      </div>
    </nav>
  );
}

function LostBanner() {
  const lostAt = useLostAt();
  return <div aria-live="assertive">{lostAt !== null && <Lost since={lostAt} />}</div>;
}

function Lost({ since }: { since: number }) {
  const { reach } = useApp();
  const now = useNow();
  return (
    <div className="alert alert-warning st-notice">
      <Icon name="warning" />
      <div className="st-notice-body">
        <strong>The studios service cannot be reached</strong>
        <p>
          The network is down, or the service is restarting. Running studios go on and keep being saved; this
          page tries again by itself.{" "}
          <span aria-hidden="true" className="text-nowrap">
            Lost for {duration(Math.max(0, now - since))}.
          </span>
        </p>
      </div>
      <button type="button" className="btn btn-sm btn-outline-contrast" onClick={reach.retry}>
        Try again now
      </button>
    </div>
  );
}
