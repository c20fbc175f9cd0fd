// Before anything is painted, so that a chosen theme does not flash the other one.
try {
  const chosen = localStorage.getItem("portolan.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme is used then.
}
