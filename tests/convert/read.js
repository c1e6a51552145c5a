// Prints the identities of the stores that standard input names, by the tls module of Node. It shows no aliases, and of
// the chain the issuer alone. It refuses a key that does not belong to the certificate.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { createSecureContext } = require("node:tls");

const shown = (der) => createHash("sha256").update(der).digest("hex").slice(0, 16);

for (const line of readFileSync(0, "utf8").split("\n").filter((line) => line)) {
    const [file, , passphrase] = line.split("\t");
    try {
        const { context } = createSecureContext({ pfx: readFileSync(file), passphrase });
        console.log(`${file}: key - ${[context.getCertificate(), context.getIssuer()].map(shown).join(",")}`);
    } catch {
        console.log(`${file}: refused`);
    }
}
