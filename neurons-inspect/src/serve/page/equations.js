// Equations, which the server has typeset as MathML.

const shown = new Map();

function row({ left, right, note }) {
  const row = document.createElement("tr");
  for (const [name, math] of [["left", left], ["right", right]]) {
    const cell = row.insertCell();
    cell.className = name;
    // In the server's MathML names are escaped, and the page's policy runs no scripts but its own.
    cell.innerHTML = math;
  }
  const cell = row.insertCell();
  cell.className = "note";
  cell.textContent = note ?? "";
  return row;
}

/** Shows rows in the element of that name. */
export function show(name, rows) {
  const text = JSON.stringify(rows);
  if (shown.get(name) === text) return;
  shown.set(name, text);
  const table = document.createElement("table");
  table.append(...rows.map(row));
  document.getElementById(name).replaceChildren(table);
}
