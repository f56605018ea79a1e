import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { readConfig } from "./config";
import { initTheme } from "./theme";
import "./styles/app.css";

initTheme();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <App config={readConfig(root)} />
  </StrictMode>,
);
