"use strict";
// A unit's page: what its pictures show, patches, whole images or outlines, stays chosen from unit to unit.

{
  const key = "convatlas-look";
  const looks = [...document.querySelectorAll("input[name=look]")];

  const stored = () => {
    try {
      return sessionStorage.getItem(key);
    } catch {
      return null; // A browser may refuse storage to pages from disk.
    }
  };

  const chosen = looks.find((look) => look.value === stored());
  if (chosen) chosen.checked = true;
  for (const look of looks) {
    look.addEventListener("change", () => {
      try {
        sessionStorage.setItem(key, look.value);
      } catch {
        // The choice then holds for this page only.
      }
    });
  }
}
