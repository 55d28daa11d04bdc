// Passkeys: a form marked data-passkey ("create" or "get") has the browser ask its user for one,
// and sends what it answers. The question stands in the page, or at the address in data-ask.
// A form stays hidden where the browser knows no passkeys.

const known = window.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined;

async function question(form) {
  if (!form.dataset.ask) {
    return JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
  }
  const answer = await fetch(form.dataset.ask, { headers: { Accept: "application/json" } });
  return (await answer.json()).request_options.publicKey;
}

function create(asked, form) {
  const alone = form.elements.passwordless.checked;
  asked.authenticatorSelection = {
    ...asked.authenticatorSelection,
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: alone,
    ...(alone && { userVerification: "required" }),
  };
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked);
  return navigator.credentials.create({ publicKey });
}

function get(asked) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked);
  return navigator.credentials.get({ publicKey });
}

async function send(form) {
  const problem = form.querySelector("[data-problem]");
  problem.hidden = true;
  try {
    const asked = await question(form);
    const credential = await (form.dataset.passkey === "create" ? create(asked, form) : get(asked));
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch {
    problem.hidden = false; // refused by its user or the device, or too late
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !known;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}
