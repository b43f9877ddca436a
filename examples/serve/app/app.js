// The app that examples/serve serves: an HTTP API with the users of a Cognito user pool and a function in Go. What the CDK makes of it
// is ../cdk.out: node app.js ../cdk.out, where aws-cdk-lib is installed.
'use strict';
const path = require('node:path');
const fs = require('node:fs');
const {App, Duration, Stack, aws_apigatewayv2: v2, aws_apigatewayv2_authorizers: authorizers, aws_apigatewayv2_integrations: integrations,
  aws_cognito: cognito, aws_lambda: lambda} = require('aws-cdk-lib');

const out = path.resolve(process.argv[2]);
const app = new App({outdir: out, analyticsReporting: false, treeMetadata: false, context: {'aws:cdk:enable-path-metadata': true,
  'aws:cdk:enable-asset-metadata': true, 'aws:cdk:disable-version-reporting': true}});
const stack = new Stack(app, 'Orders', {env: {account: '111122223333', region: 'eu-west-1'}});

const pool = new cognito.UserPool(stack, 'Pool');
const client = pool.addClient('App');
const getOrder = new lambda.Function(stack, 'GetOrder', {runtime: lambda.Runtime.PROVIDED_AL2023, handler: 'bootstrap', timeout: Duration.seconds(5),
  memorySize: 256, environment: {SHOP: 'books'}, code: lambda.Code.fromAsset(path.join(__dirname, 'orders'))});

const api = new v2.HttpApi(stack, 'Api', {apiName: 'orders', corsPreflight: {allowOrigins: ['https://myapp.com'],
  allowMethods: [v2.CorsHttpMethod.GET], allowHeaders: ['Authorization'], maxAge: Duration.hours(1)}, createDefaultStage: false});
api.addRoutes({path: '/orders/{id}', methods: [v2.HttpMethod.GET], integration: new integrations.HttpLambdaIntegration('ToGetOrder', getOrder),
  authorizationScopes: ['orders/read'], authorizer: new authorizers.HttpUserPoolAuthorizer('Users', pool, {userPoolClients: [client]})});
api.addStage('Live', {stageName: '$default', autoDeploy: true, throttle: {rateLimit: 100, burstLimit: 200}});

app.synth();
// The reports of synthesis aren't part of the app.
for (const file of fs.readdirSync(out).filter(f => /(^cdk\.out|metadata\.json|report\.json)$/.test(f))) fs.rmSync(path.join(out, file));
const file = path.join(out, 'manifest.json');
const manifest = JSON.parse(fs.readFileSync(file));
for (const [id, artifact] of Object.entries(manifest.artifacts)) if (artifact.type === 'cdk:feature-flag-report') delete manifest.artifacts[id];
fs.writeFileSync(file, `${JSON.stringify(manifest, null, 1)}\n`);
