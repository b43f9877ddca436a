// Five programs of the CDK, each synthesized into a folder of its own: node app.js FOLDER
//
// What is in this folder was made so. Of what synthesis writes the reports are taken out.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const {App, Stack, NestedStack, CfnOutput, Duration, aws_apigateway: rest, aws_apigatewayv2: v2, aws_apigatewayv2_authorizers: authorizers,
  aws_apigatewayv2_integrations: integrations, aws_certificatemanager: acm, aws_cognito: cognito, aws_ec2: ec2, aws_elasticloadbalancingv2: elb,
  aws_lambda: lambda, aws_sqs: sqs, aws_iam: iam} = require('aws-cdk-lib');

const folder = path.resolve(process.argv[2]);

function program(name, build) {
  const app = new App({outdir: path.join(folder, name), analyticsReporting: false, treeMetadata: false,
    context: {'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': true, 'aws:cdk:disable-version-reporting': true}});
  build(app);
  app.synth();
  for (const file of fs.readdirSync(path.join(folder, name)).filter(f => /(^cdk\.out|metadata\.json|report\.json)$/.test(f))) {
    fs.rmSync(path.join(folder, name, file));
  }
  const file = path.join(folder, name, 'manifest.json');
  const manifest = JSON.parse(fs.readFileSync(file));
  for (const [id, artifact] of Object.entries(manifest.artifacts)) {
    if (artifact.type === 'cdk:feature-flag-report') delete manifest.artifacts[id];
  }
  fs.writeFileSync(file, `${JSON.stringify(manifest, null, 1)}\n`);
}

const handler = (scope, id) => new lambda.Function(scope, id, {runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler',
  timeout: Duration.seconds(5), code: lambda.Code.fromInline('exports.handler = async () => "hello"')});

const network = scope => ec2.Vpc.fromVpcAttributes(scope, 'Vpc', {vpcId: 'vpc-0123456789abcdef0', availabilityZones: ['us-east-1a', 'us-east-1b'],
  privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1']});

program('http', app => {
  const stack = new Stack(app, 'Http');
  const f = handler(stack, 'Handler');
  const pool = new cognito.UserPool(stack, 'Pool');
  const client = pool.addClient('Client');
  const vpc = network(stack);
  const balancer = new elb.ApplicationLoadBalancer(stack, 'Balancer', {vpc});
  const listener = balancer.addListener('Listener', {port: 8080, protocol: elb.ApplicationProtocol.HTTP, open: false,
    defaultAction: elb.ListenerAction.fixedResponse(200)});
  const api = new v2.HttpApi(stack, 'Api', {corsPreflight: {allowOrigins: ['https://shop.example'], allowMethods: [v2.CorsHttpMethod.GET], maxAge: Duration.minutes(1)}});
  const toHandler = new integrations.HttpLambdaIntegration('ToHandler', f, {timeout: Duration.seconds(3)});
  api.addRoutes({path: '/orders/{id}', methods: [v2.HttpMethod.GET], integration: toHandler, authorizationScopes: ['orders/read'],
    authorizer: new authorizers.HttpUserPoolAuthorizer('Users', pool, {userPoolClients: [client]})});
  api.addRoutes({path: '/orders', methods: [v2.HttpMethod.POST], integration: toHandler,
    authorizer: new authorizers.HttpJwtAuthorizer('Jwt', 'https://issuer.example', {jwtAudience: ['shop']})});
  api.addRoutes({path: '/own', methods: [v2.HttpMethod.GET], integration: toHandler,
    authorizer: new authorizers.HttpLambdaAuthorizer('Own', handler(stack, 'Who'), {responseTypes: [authorizers.HttpLambdaResponseType.SIMPLE], resultsCacheTtl: Duration.seconds(30)})});
  api.addRoutes({path: '/signed', methods: [v2.HttpMethod.ANY], integration: toHandler, authorizer: new authorizers.HttpIamAuthorizer()});
  api.addRoutes({path: '/inside/{proxy+}', methods: [v2.HttpMethod.ANY], integration: new integrations.HttpAlbIntegration('ToListener', listener,
    {parameterMapping: new v2.ParameterMapping().overwritePath(v2.MappingValue.requestPath()).appendHeader('x-from', v2.MappingValue.custom('$context.requestId'))})});
  api.addRoutes({path: '/send', methods: [v2.HttpMethod.POST], integration: new integrations.HttpSqsIntegration('ToQueue', {queue: new sqs.Queue(stack, 'Queue')})});
  api.addStage('Beta', {stageName: 'beta', autoDeploy: true, throttle: {rateLimit: 10, burstLimit: 20}});
});

program('rest', app => {
  const stack = new Stack(app, 'Rest');
  const f = handler(stack, 'Handler');
  const api = new rest.RestApi(stack, 'Api', {
    deployOptions: {stageName: 'live', variables: {color: 'blue'}, cachingEnabled: true, cacheClusterEnabled: true, cacheTtl: Duration.minutes(1),
      methodOptions: {'/orders/GET': {throttlingRateLimit: 5, throttlingBurstLimit: 10, cachingEnabled: false}}, tracingEnabled: true},
    defaultCorsPreflightOptions: {allowOrigins: ['https://a.example', 'https://b.example'], allowCredentials: true},
    binaryMediaTypes: ['image/png'], minCompressionSize: undefined, apiKeySourceType: rest.ApiKeySourceType.HEADER,
    policy: new iam.PolicyDocument({statements: [new iam.PolicyStatement({principals: [new iam.AnyPrincipal()], actions: ['execute-api:Invoke'], resources: ['execute-api:/*']})]}),
  });
  api.addGatewayResponse('Denied', {type: rest.ResponseType.ACCESS_DENIED, statusCode: '403', responseHeaders: {'X-Why': "'denied'"}, templates: {'application/json': '{"no":true}'}});
  const model = api.addModel('Order', {schema: {type: rest.JsonSchemaType.OBJECT, required: ['id'], properties: {id: {type: rest.JsonSchemaType.STRING}}}});
  api.addModel('Orders', {schema: {type: rest.JsonSchemaType.ARRAY, items: {ref: `https://apigateway.amazonaws.com/restapis/${api.restApiId}/models/${model.modelId}`}}});
  const orders = api.root.addResource('orders');
  const token = new rest.TokenAuthorizer(stack, 'Token', {handler: handler(stack, 'Who'), resultsCacheTtl: Duration.seconds(0), validationRegex: '^Bearer .+'});
  const request = new rest.RequestAuthorizer(stack, 'Request', {handler: handler(stack, 'Who2'), identitySources: [rest.IdentitySource.header('A'), rest.IdentitySource.queryString('b')]});
  const users = new rest.CognitoUserPoolsAuthorizer(stack, 'Users', {cognitoUserPools: [new cognito.UserPool(stack, 'Pool')]});
  orders.addMethod('GET', new rest.LambdaIntegration(f), {authorizer: token, apiKeyRequired: true});
  orders.addMethod('POST', new rest.LambdaIntegration(f.addAlias('live'), {proxy: false, requestTemplates: {'application/json': '$input.body'},
    integrationResponses: [{statusCode: '200'}, {statusCode: '502', selectionPattern: '5\\d{2}'}]}), {authorizer: request, requestModels: {'application/json': model},
    requestValidatorOptions: {validateRequestBody: true}, methodResponses: [{statusCode: '200', responseModels: {'application/json': model}}, {statusCode: '502'}], operationName: 'createOrder'});
  const order = orders.addResource('{id}');
  order.addMethod('GET', new rest.HttpIntegration('https://backend.example/{id}', {proxy: true, options: {requestParameters: {'integration.request.path.id': 'method.request.path.id'}, cacheKeyParameters: ['method.request.path.id'], timeout: Duration.seconds(7)}}),
    {authorizer: users, authorizationScopes: ['orders/read'], requestParameters: {'method.request.path.id': true}});
  order.addMethod('DELETE', new rest.MockIntegration({requestTemplates: {'application/json': '{"statusCode":204}'}, integrationResponses: [{statusCode: '204'}]}), {authorizationType: rest.AuthorizationType.IAM, methodResponses: [{statusCode: '204'}]});
  const queue = new sqs.Queue(stack, 'Queue');
  const role = new iam.Role(stack, 'Role', {assumedBy: new iam.ServicePrincipal('apigateway.amazonaws.com')});
  api.root.addResource('send').addMethod('POST', new rest.AwsIntegration({service: 'sqs', path: `${stack.account}/${queue.queueName}`, options: {credentialsRole: role, integrationResponses: [{statusCode: '200'}]}}), {methodResponses: [{statusCode: '200'}]});
  const link = new rest.VpcLink(stack, 'Link', {targets: [new elb.NetworkLoadBalancer(stack, 'Network', {vpc: network(stack)})]});
  api.root.addResource('inside').addProxy({defaultIntegration: new rest.Integration({type: rest.IntegrationType.HTTP_PROXY, integrationHttpMethod: 'ANY', uri: 'http://inside.example/', options: {connectionType: rest.ConnectionType.VPC_LINK, vpcLink: link}})});
  const plan = api.addUsagePlan('Plan', {name: 'basic', throttle: {rateLimit: 10, burstLimit: 20}, quota: {limit: 1000, period: rest.Period.DAY}});
  plan.addApiStage({stage: api.deploymentStage, throttle: [{method: orders.node.findChild('GET'), throttle: {rateLimit: 1, burstLimit: 2}}]});
  plan.addApiKey(api.addApiKey('Key'));
});

program('websocket', app => {
  const stack = new Stack(app, 'Chat');
  const f = handler(stack, 'Handler');
  const to = id => new integrations.WebSocketLambdaIntegration(id, f);
  const api = new v2.WebSocketApi(stack, 'Api', {
    connectRouteOptions: {integration: to('Connect'), authorizer: new authorizers.WebSocketLambdaAuthorizer('Who', handler(stack, 'Who'), {identitySource: ['route.request.querystring.token']})},
    disconnectRouteOptions: {integration: to('Disconnect')}, defaultRouteOptions: {integration: to('Fallback')}});
  api.addRoute('send', {integration: to('Send'), returnResponse: true});
  api.addRoute('mock', {integration: new integrations.WebSocketMockIntegration('Mock')});
  new v2.WebSocketStage(stack, 'Stage', {webSocketApi: api, stageName: 'live', autoDeploy: true});
});

program('nested', app => {
  const root = new Stack(app, 'Root');
  const shared = handler(root, 'Shared');
  const api = new rest.RestApi(root, 'Api', {deploy: false});
  api.root.addMethod('ANY', new rest.MockIntegration({requestTemplates: {'application/json': '{"statusCode":200}'}, integrationResponses: [{statusCode: '200'}]}), {methodResponses: [{statusCode: '200'}]});
  const methods = [];
  for (const name of ['pets', 'books']) {
    const nested = new NestedStack(root, name);
    const imported = rest.RestApi.fromRestApiAttributes(nested, 'Api', {restApiId: api.restApiId, rootResourceId: api.restApiRootResourceId});
    const resource = imported.root.addResource(name);
    methods.push(resource.addMethod('GET', new rest.LambdaIntegration(handler(nested, 'Handler'))), resource.addMethod('PUT', new rest.LambdaIntegration(shared, {proxy: true})));
  }
  const deployment = new rest.Deployment(root, 'Deployment', {api});
  methods.forEach(m => deployment.node.addDependency(m));
  new rest.Stage(root, 'Stage', {deployment, stageName: 'live'});
  const other = new Stack(app, 'Other');
  const http = new v2.HttpApi(other, 'Http', {defaultIntegration: new integrations.HttpLambdaIntegration('ToShared', shared)});
  new CfnOutput(other, 'Url', {value: http.apiEndpoint});
});

program('domain', app => {
  const stack = new Stack(app, 'Domain');
  const f = handler(stack, 'Handler');
  const certificate = new acm.Certificate(stack, 'Certificate', {domainName: 'api.example.com'});
  const domainName = new v2.DomainName(stack, 'Name', {domainName: 'api.example.com', certificate});
  new v2.HttpApi(stack, 'Http', {defaultIntegration: new integrations.HttpLambdaIntegration('ToHandler', f), defaultDomainMapping: {domainName, mappingKey: 'v2/http'}, disableExecuteApiEndpoint: true});
  const api = new rest.LambdaRestApi(stack, 'Rest', {handler: f});
  new v2.CfnApiMapping(stack, 'Mapping', {apiId: api.restApiId, domainName: domainName.name, stage: api.deploymentStage.stageName, apiMappingKey: 'v1'});
  const own = new rest.DomainName(stack, 'Own', {domainName: 'rest.example.com', certificate});
  own.addBasePathMapping(api, {basePath: 'rest'});
});
