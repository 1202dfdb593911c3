// Sets the remembered theme before the first paint. A file of its own, because the content
// security policy allows no inline scripts.
try {
  const theme = localStorage.getItem("lakemill-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the page follows the system.
}
