exports.handler = async () => [process.pid, process.env.SHOP];
