// The copy button of a console block copies the commands alone: no prompts, and nothing that they print.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-md-type='copy']")
  const block = button && button.closest("pre")
  if (!block || !block.querySelector(".gp")) return
  const lines = block.querySelector("code").textContent.split("\n")
  const commands = lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2))
  button.setAttribute("data-clipboard-text", commands.join("\n"))
}, true)
