exports.handler = require('nowhere');
