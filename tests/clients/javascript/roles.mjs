// The AWS SDK for JavaScript on roles: prints one line of JSON for what its arguments ask.
import { IAMClient, ListUsersCommand } from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import {
  fromContainerMetadata,
  fromHttp,
  fromIni,
  fromInstanceMetadata,
  fromNodeProviderChain,
  fromTemporaryCredentials,
  fromTokenFile,
} from "@aws-sdk/credential-providers";

const [how, given] = process.argv.slice(2);
const asked = given ? JSON.parse(given) : {};
const region = process.env.AWS_REGION;
const providers = {
  chain: () => fromNodeProviderChain(asked),
  container: () => fromContainerMetadata(asked),
  http: () => fromHttp(asked),
  instance: () => fromInstanceMetadata(asked),
  profile: () => fromIni(asked),
  temporary: () =>
    fromTemporaryCredentials({
      params: asked.params,
      mfaCodeProvider: async () => asked.code,
      clientConfig: { region },
      ...(asked.through ? { masterCredentials: fromTemporaryCredentials({ params: asked.through, clientConfig: { region } }) } : {}),
    }),
  token: () => fromTokenFile({ clientConfig: { region }, ...asked }),
};

try {
  // Resolved once: each client would ask its provider anew, and a one-time code is good once.
  const credentials = await providers[how]()({});
  const { Arn } = await new STSClient({ region, credentials }).send(new GetCallerIdentityCommand({}));
  const users = await new IAMClient({ region, credentials }).send(new ListUsersCommand({})).then(
    (answer) => answer.Users.length,
    (error) => `${error.name}: ${error.message}`,
  );
  console.log(JSON.stringify({ Arn, users }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message }));
}
