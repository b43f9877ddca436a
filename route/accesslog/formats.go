package accesslog

// The formats that the managed gateway's console offers: a line of the Common Log Format, JSON, XML
// and comma-separated values, for each kind of API. (Developer guide, "Set up CloudWatch logging
// for REST APIs", "Configure logging for HTTP APIs" and "… for WebSocket APIs".)
const (
	HTTPCLF = `$context.identity.sourceIp - - [$context.requestTime] ` +
		`"$context.httpMethod $context.routeKey $context.protocol" ` +
		`$context.status $context.responseLength $context.requestId`
	HTTPJSON = `{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", ` +
		`"requestTime":"$context.requestTime", "httpMethod":"$context.httpMethod",` +
		`"routeKey":"$context.routeKey", "status":"$context.status",` +
		`"protocol":"$context.protocol", "responseLength":"$context.responseLength" }`
	HTTPXML = `<request id="$context.requestId"> <ip>$context.identity.sourceIp</ip> ` +
		`<requestTime>$context.requestTime</requestTime> <httpMethod>$context.httpMethod</httpMethod> ` +
		`<routeKey>$context.routeKey</routeKey> <status>$context.status</status> ` +
		`<protocol>$context.protocol</protocol> <responseLength>$context.responseLength</responseLength> </request>`
	HTTPCSV = `$context.identity.sourceIp,$context.requestTime,$context.httpMethod,$context.routeKey,` +
		`$context.protocol,$context.status,$context.responseLength,$context.requestId`

	RESTCLF = `$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] ` +
		`"$context.httpMethod $context.resourcePath $context.protocol" ` +
		`$context.status $context.responseLength $context.requestId $context.extendedRequestId`
	RESTJSON = `{ "requestId":"$context.requestId", "extendedRequestId":"$context.extendedRequestId", ` +
		`"ip": "$context.identity.sourceIp", "caller":"$context.identity.caller", ` +
		`"user":"$context.identity.user", "requestTime":"$context.requestTime", ` +
		`"httpMethod":"$context.httpMethod", "resourcePath":"$context.resourcePath", ` +
		`"status":"$context.status", "protocol":"$context.protocol", "responseLength":"$context.responseLength" }`
	RESTXML = `<request id="$context.requestId"> <extendedRequestId>$context.extendedRequestId</extendedRequestId> ` +
		`<ip>$context.identity.sourceIp</ip> <caller>$context.identity.caller</caller> ` +
		`<user>$context.identity.user</user> <requestTime>$context.requestTime</requestTime> ` +
		`<httpMethod>$context.httpMethod</httpMethod> <resourcePath>$context.resourcePath</resourcePath> ` +
		`<status>$context.status</status> <protocol>$context.protocol</protocol> ` +
		`<responseLength>$context.responseLength</responseLength> </request>`
	RESTCSV = `$context.identity.sourceIp,$context.identity.caller,$context.identity.user,$context.requestTime,` +
		`$context.httpMethod,$context.resourcePath,$context.protocol,$context.status,$context.responseLength,` +
		`$context.requestId,$context.extendedRequestId`

	WebSocketCLF = `$context.identity.sourceIp $context.identity.caller $context.identity.user ` +
		`[$context.requestTime] "$context.eventType $context.routeKey $context.connectionId" ` +
		`$context.status $context.requestId`
	WebSocketJSON = `{ "requestId":"$context.requestId", "ip": "$context.identity.sourceIp", ` +
		`"caller":"$context.identity.caller", "user":"$context.identity.user", ` +
		`"requestTime":"$context.requestTime", "eventType":"$context.eventType", ` +
		`"routeKey":"$context.routeKey", "status":"$context.status", "connectionId":"$context.connectionId" }`
	WebSocketXML = `<request id="$context.requestId"> <ip>$context.identity.sourceIp</ip> ` +
		`<caller>$context.identity.caller</caller> <user>$context.identity.user</user> ` +
		`<requestTime>$context.requestTime</requestTime> <eventType>$context.eventType</eventType> ` +
		`<routeKey>$context.routeKey</routeKey> <status>$context.status</status> ` +
		`<connectionId>$context.connectionId</connectionId> </request>`
	WebSocketCSV = `$context.identity.sourceIp,$context.identity.caller,$context.identity.user,` +
		`$context.requestTime,$context.eventType,$context.routeKey,$context.connectionId,$context.status,` +
		`$context.requestId`
)
