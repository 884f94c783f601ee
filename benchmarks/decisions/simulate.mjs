// The process of iam-simulate: it answers the commands of child.py. The folder with its node_modules is the argument.
// It uses the functions below runSimulation, with policies and requests read once: its fastest form.

import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ACCOUNT = '111122223333'
const USER = `arn:aws:iam::${ACCOUNT}:user/ana`
const SLICE_SECONDS = 0.01
const WINDOWS = 6

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
const seconds = () => Number(process.hrtime.bigint()) / 1e9

const cpuSince = (before) => {
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1e6
}

let identityPolicies = []
let asked = []

const decide = (request) =>
  authorize({
    request,
    identityPolicies,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    simulationParameters
  }).result === 'Allowed'

const commands = {
  start() {
    return {}
  },

  load({ documents, asks }) {
    const begun = process.cpuUsage()
    identityPolicies = documents.map((text, number) => loadPolicy(JSON.parse(text), { name: `p${number}` }))
    const took = cpuSince(begun)
    asked = asks.map(
      ([action, resource, context]) =>
        new AwsRequestImpl(USER, { resource, accountId: ACCOUNT }, action, new RequestContextImpl(context))
    )
    return { seconds: took, first: 0 }
  },

  answer({ seconds: budget }) {
    const end = seconds() + budget
    let answers = ''
    for (const one of asked) {
      answers += decide(one) ? '1' : '0'
      if (seconds() > end) break
    }
    return { answers }
  },

  time({ seconds: budget }) {
    throughput(budget) // until V8 has compiled what is called often
    const windows = Array.from({ length: WINDOWS }, () => throughput(budget / WINDOWS))
    const best = windows.reduce((one, other) => (other.count / other.cpu > one.count / one.cpu ? other : one))
    return { ...best, ...latency(budget) }
  }
}

function throughput(budget) {
  let begun = seconds()
  decide(asked[0])
  const size = Math.max(1, Math.floor(SLICE_SECONDS / Math.max(seconds() - begun, 1e-7)))
  let count = 0
  let next = 0
  begun = seconds()
  const cpu = process.cpuUsage()
  while (seconds() - begun < budget) {
    for (let done = 0; done < size; done++) {
      decide(asked[next])
      next = next + 1 === asked.length ? 0 : next + 1
    }
    count += size
  }
  return { count, cpu: cpuSince(cpu), wall: seconds() - begun }
}

function latency(budget) {
  const took = []
  const end = process.hrtime.bigint() + BigInt(Math.round(budget * 1e9))
  for (let next = 0, ended = 0n; ended < end; next = next + 1 === asked.length ? 0 : next + 1) {
    const begun = process.hrtime.bigint()
    decide(asked[next])
    ended = process.hrtime.bigint()
    took.push(Number(ended - begun))
  }
  took.sort((one, other) => one - other)
  const at = (part) => took[Math.min(took.length - 1, Math.floor(took.length * part))]
  return { p50: at(0.5), p99: at(0.99) }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...command } = JSON.parse(line)
  let said
  try {
    said = commands[name](command)
  } catch (failure) {
    said = { error: String(failure).split('\n')[0] }
  }
  process.stdout.write(JSON.stringify(said) + '\n')
}
