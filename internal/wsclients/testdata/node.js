const session = require("./session.js");
session(require("ws"), process.argv[2], ["other", "chat"]).then((saw) => console.log(JSON.stringify(saw)), (e) => { console.error(e); process.exit(1); });
