"use strict";
// Tables that leave the page, as CSV.

// What a spreadsheet would run as a formula gets an apostrophe, which the readers of these files take off again.
function tableCell(value) {
  const text = String(value);
  const inert = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

function tableText(rows) {
  return rows.map((row) => row.map(tableCell).join(",") + "\n").join("");
}

function saveTable(name, rows) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([tableText(rows)], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
