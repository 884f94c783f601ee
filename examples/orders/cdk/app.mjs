// The orders service as the CDK deploys it: npm ci, npx cdk bootstrap, npx cdk deploy.
import { App, CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as s3 from "aws-cdk-lib/aws-s3";
import * as secretsmanager from "aws-cdk-lib/aws-secretsmanager";
import * as sqs from "aws-cdk-lib/aws-sqs";
import { fileURLToPath } from "node:url";

const stack = new Stack(new App(), "orders-cdk");

const queue = new sqs.Queue(stack, "Queue", { visibilityTimeout: Duration.seconds(60) });
const table = new dynamodb.Table(stack, "Table", {
  partitionKey: { name: "number", type: dynamodb.AttributeType.STRING },
  billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
  removalPolicy: RemovalPolicy.DESTROY,
});
const receipts = new s3.Bucket(stack, "Receipts", { removalPolicy: RemovalPolicy.DESTROY });
const signingKey = new secretsmanager.Secret(stack, "SigningKey");

function role(name) {
  return new iam.Role(stack, name, {
    // The functions' roles are the service's; people of this account may be given them, too, to try them out.
    assumedBy: new iam.CompositePrincipal(
      new iam.ServicePrincipal("lambda.amazonaws.com"),
      new iam.AccountRootPrincipal(),
    ),
    managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName("service-role/AWSLambdaBasicExecutionRole")],
  });
}

const code = lambda.Code.fromAsset(fileURLToPath(new URL("../service", import.meta.url)), {
  exclude: ["**/__pycache__"],
});

function runs(name, handler, role) {
  return new lambda.Function(stack, name, {
    runtime: lambda.Runtime.PYTHON_3_11,
    handler,
    code,
    role,
    timeout: Duration.seconds(30),
    environment: {
      ORDERS_QUEUE_URL: queue.queueUrl,
      ORDERS_TABLE: table.tableName,
      ORDERS_BUCKET: receipts.bucketName,
      ORDERS_SECRET: signingKey.secretArn,
    },
  });
}

// What each role may do, and nothing else: the CDK's ready grants (grantSendMessages, grantReadWriteData) give more.
function allow(role, resources, ...actions) {
  role.addToPolicy(new iam.PolicyStatement({ actions, resources }));
}

const apiRole = role("ApiRole");
allow(apiRole, [table.tableArn], "dynamodb:PutItem", "dynamodb:GetItem");
allow(apiRole, [queue.queueArn], "sqs:SendMessage");
allow(apiRole, [receipts.arnForObjects("receipts/*")], "s3:GetObject");
allow(apiRole, [signingKey.secretArn], "secretsmanager:GetSecretValue");

const workerRole = role("WorkerRole");
allow(workerRole, [queue.queueArn], "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage");
allow(workerRole, [table.tableArn], "dynamodb:UpdateItem");
allow(workerRole, [receipts.arnForObjects("receipts/*")], "s3:PutObject");
allow(workerRole, [signingKey.secretArn], "secretsmanager:GetSecretValue");

const api = runs("Api", "orders.api.handler", apiRole);
const worker = runs("Worker", "orders.worker.handler", workerRole);
new lambda.EventSourceMapping(stack, "OrdersForWorker", {
  eventSourceArn: queue.queueArn,
  target: worker,
  batchSize: 1,
});

const outputs = {
  QueueUrl: queue.queueUrl,
  TableName: table.tableName,
  BucketName: receipts.bucketName,
  SecretArn: signingKey.secretArn,
  ApiRoleArn: apiRole.roleArn,
  WorkerRoleArn: workerRole.roleArn,
  ApiFunctionName: api.functionName,
};
for (const [name, value] of Object.entries(outputs)) {
  new CfnOutput(stack, name, { value });
}
