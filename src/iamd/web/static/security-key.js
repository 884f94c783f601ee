// Asks a security key before its form is sent (WebAuthn Level 3). What to ask stands in the form's data attributes.
"use strict";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withIds = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function registered(options) {
  const user = { ...options.user, id: bytes(options.user.id) };
  const publicKey = {
    ...options, user, challenge: bytes(options.challenge), excludeCredentials: withIds(options.excludeCredentials),
  };
  const key = await navigator.credentials.create({ publicKey });
  return {
    id: key.id, rawId: text(key.rawId), type: key.type, clientExtensionResults: {},
    response: {
      clientDataJSON: text(key.response.clientDataJSON), attestationObject: text(key.response.attestationObject),
    },
  };
}

async function answered(question) {
  const publicKey = {
    ...question, challenge: bytes(question.challenge), allowCredentials: withIds(question.allowCredentials),
  };
  const key = await navigator.credentials.get({ publicKey });
  return {
    id: key.id, rawId: text(key.rawId), type: key.type, clientExtensionResults: {},
    response: {
      clientDataJSON: text(key.response.clientDataJSON), authenticatorData: text(key.response.authenticatorData),
      signature: text(key.response.signature),
    },
  };
}

for (const form of document.querySelectorAll("form.security-key")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const complaint = form.querySelector(".error");
    button.disabled = true;
    complaint.hidden = true;
    try {
      const { options, question } = form.dataset;
      const answer = options ? await registered(JSON.parse(options)) : await answered(JSON.parse(question));
      form.elements.credential.value = JSON.stringify(answer);
      form.submit();
    } catch (error) {
      complaint.textContent = `The security key was not used: ${error.message}`;
      complaint.hidden = false;
      button.disabled = false;
    }
  });
}
