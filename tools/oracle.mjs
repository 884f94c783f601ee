// The process of iam-simulate: it reads a case a line and answers a line. The folder with its node_modules is the
// argument. It asks `authorize`, which is below the checks that refuse unknown actions and keys.

import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const root = join(process.argv[2], 'node_modules', '@cloud-copilot')
const load = (...path) => import(pathToFileURL(join(root, ...path)))
const simulate = (...path) => load('iam-simulate', 'dist', 'esm', ...path)

const { loadPolicy } = await load('iam-policy', 'dist', 'esm', 'index.js')
const { authorize } = await simulate('core_engine', 'CoreSimulatorEngine.js')
const { AwsRequestImpl } = await simulate('request', 'request.js')
const { RequestContextImpl } = await simulate('requestContext.js')
const { DiscoveryContextKeyConstraints } = await simulate('context_keys', 'discoveryContextKeyConstraints.js')

const simulationParameters = {
  simulationMode: 'Strict',
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([])
}

const policies = (documents) => documents?.map((one, number) => loadPolicy(one, { name: `p${number}` }))
const levels = (found, ...more) =>
  (found ?? []).map(({ level, policies: documents }) => ({
    orgIdentifier: level,
    policies: policies([...documents, ...more])
  }))

// AWS attaches it everywhere and lets nobody take it away (Organizations User Guide, RCPFullAWSAccess).
const RCP_FULL_ACCESS = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }
}

function decide({ request, policies: found }) {
  const { principal, action, resource, resource_account, context, wildcard_only_action } = request
  const who = principal === 'anonymous' ? { type: 'Anonymous' } : principal
  return authorize({
    request: new AwsRequestImpl(
      who,
      { resource, accountId: resource_account },
      action,
      new RequestContextImpl(context),
      Boolean(wildcard_only_action)
    ),
    sessionPolicy: policies(found.session)?.[0],
    identityPolicies: policies(found.identity) ?? [],
    serviceControlPolicies: levels(found.scp),
    resourceControlPolicies: levels(found.rcp, RCP_FULL_ACCESS),
    resourcePolicy: policies(found.resource)?.[0],
    permissionBoundaries: policies(found.boundary),
    vpcEndpointPolicies: policies(found.vpce),
    simulationParameters
  }).result
}

for await (const line of createInterface({ input: process.stdin })) {
  let said
  try {
    said = decide(JSON.parse(line))
  } catch (failure) {
    said = `failed: ${String(failure).split('\n')[0]}`
  }
  process.stdout.write(said + '\n')
}
