"use strict";
(() => {
  const root = document.documentElement;
  const remembered = (() => { try { return localStorage.getItem("smearlab-theme"); } catch { return null; } })();
  if (remembered === "light" || remembered === "dark") root.dataset.theme = remembered;

  const toggle = document.getElementById("theme");
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("smearlab-theme", root.dataset.theme); } catch { /* a page from a file may have no store */ }
  });

  if (matchMedia("(max-width: 70rem)").matches) document.querySelector("nav details").open = false;

  const number = (text) => {
    const found = text.replaceAll("\u2212", "-").replace(/^< /, "").replaceAll("\u2009", "").match(/^[+-]?\d[\d.]*/);
    return found ? parseFloat(found[0]) : null;
  };
  const compare = (a, b) => {
    if (a.value !== null && b.value !== null) return a.value - b.value;
    if (a.value === null && b.value === null) return a.text.localeCompare(b.text);
    return a.value === null ? 1 : -1;
  };
  const sort = (table, column, head) => {
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => {
      const text = row.cells[column].textContent.trim();
      return { row, text, value: number(text) };
    });
    rows.sort((a, b) => (ascending ? compare(a, b) : compare(b, a)));
    body.append(...rows.map((entry) => entry.row));
    for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  };
  const filter = (table) => {
    const label = document.createElement("label");
    label.className = "filter";
    label.textContent = "Show rows with ";
    const input = document.createElement("input");
    input.type = "search";
    label.append(input);
    table.closest(".scroll").before(label);
    input.addEventListener("input", () => {
      const wanted = input.value.toLowerCase();
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  };
  const fields = (table) => [...table.rows].filter((row) => !row.hidden)
    .map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, " ").trim()));
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const copied = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch { /* a page from a file may not be let */ }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  const saved = (text, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const tool = (label, text, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", async () => {
      if (await act() === false) return;
      button.textContent = "done";
      setTimeout(() => { button.textContent = text; }, 1200);
    });
    return button;
  };
  for (const table of document.querySelectorAll("main table")) {
    const box = table.closest(".scroll");
    const about = document.getElementById(box.getAttribute("aria-labelledby")).textContent;
    const name = `${about.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}.csv`;
    const tools = document.createElement("div");
    tools.className = "tools";
    tools.append(
      tool(`Copy the table: ${about}`, "copy", () => copied(fields(table).map((row) => row.join("\t")).join("\n"))),
      tool(`The table as CSV: ${about}`, "CSV", () => saved(fields(table).map((row) => row.map(quoted).join(",")).join("\r\n"), name)),
    );
    box.before(tools);
  }

  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const chapter = target && target.querySelector(":scope > details.chapter");
    if (chapter) chapter.open = true;
  };
  addEventListener("hashchange", open);
  open();
  const folded = new Set();
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("main details:not([open])")) { folded.add(fold); fold.open = true; }
  });
  addEventListener("afterprint", () => { for (const fold of folded) fold.open = false; folded.clear(); });

  for (const table of document.querySelectorAll("table.sortable")) {
    if (table.tBodies[0].rows.length < 2) continue;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(table, column, head));
    });
    if (table.tBodies[0].rows.length > 20) filter(table);
  }
})();
