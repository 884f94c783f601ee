// A queue, another queue, and a function that may send to the first.
import { App, CfnOutput, Stack } from "aws-cdk-lib";
import * as lambda from "aws-cdk-lib/aws-lambda";
import * as sqs from "aws-cdk-lib/aws-sqs";

const stack = new Stack(new App(), "demo");
const queue = new sqs.Queue(stack, "Queue");
const other = new sqs.Queue(stack, "Other");
const fn = new lambda.Function(stack, "Fn", {
  runtime: lambda.Runtime.PYTHON_3_11,
  handler: "index.handler",
  code: lambda.Code.fromAsset("code"),
});
queue.grantSendMessages(fn);

const outputs = { Queue: queue.queueUrl, Other: other.queueUrl, Function: fn.functionName, Role: fn.role.roleName };
for (const [name, value] of Object.entries(outputs)) {
  new CfnOutput(stack, `${name}Output`, { value });
}
