// Droptune in Azure: one Function App on Flex Consumption, one storage account, one user-assigned identity.
// The Azure OpenAI account is created here, or an existing one of this resource group is used.
// Unverified: never deployed; compiled and linted only.
targetScope = 'subscription'

@description('Names the environment; every resource carries it.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Where everything is created. Global training needs a region that offers it.')
param location string

@description('An existing Azure OpenAI account in the resource group; empty: create one.')
param openAiAccountName string = ''

@description('Ceiling of what one run may cost, in USD; empty: none.')
param budgetRunUsd string = '50'

@description('Ceiling of hosting a month, in USD; 0: nothing that bills by the hour is created.')
param budgetHostingUsdMonth string = '0'

@description('When a person has to approve a training: never, over_budget or always; empty: as the files say.')
@allowed(['', 'never', 'over_budget', 'always'])
param approvalTraining string = 'over_budget'

@description('Instances of the durable functions that are always warm; 0 lets everything scale to zero.')
@minValue(0)
@maxValue(5)
param alwaysReady int = 0

@description('App Service Authentication for the pages: the client id of an Entra application; empty: the pages stay closed, unless the setting APP_KEY holds a key that opens them.')
param authClientId string = ''

@description('Who runs azd; may drop datasets and read runs.')
param principalId string = deployer().objectId

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  scope: group
  name: 'identity'
  params: { name: 'id-droptune-${token}', location: location, tags: tags }
}

module storage 'storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    identityPrincipalId: identity.outputs.principalId
    userPrincipalId: principalId
  }
}

module openAi 'open-ai.bicep' = {
  scope: group
  name: 'open-ai'
  params: {
    name: empty(openAiAccountName) ? 'oai-droptune-${token}' : openAiAccountName
    isNew: empty(openAiAccountName)
    location: location
    tags: tags
    identityPrincipalId: identity.outputs.principalId
  }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    name: 'droptune-${token}'
    location: location
    tags: tags
    identityPrincipalId: identity.outputs.principalId
  }
}

module app 'app.bicep' = {
  scope: group
  name: 'app'
  params: {
    name: 'func-droptune-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'app' })
    storageName: storage.outputs.name
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    openAiEndpoint: openAi.outputs.endpoint
    openAiResourceId: openAi.outputs.id
    insightsConnectionString: monitoring.outputs.connectionString
    alwaysReady: alwaysReady
    authClientId: authClientId
    taskHubName: 'droptune${take(token, 8)}'
    ceilings: {
      BUDGET_RUN_USD: budgetRunUsd
      BUDGET_HOSTING_USD_MONTH: budgetHostingUsdMonth
      APPROVAL_TRAINING: approvalTraining
    }
  }
}

module events 'events.bicep' = {
  scope: group
  name: 'events'
  params: { name: 'evgt-droptune-${token}', location: location, tags: tags, storageName: storage.outputs.name }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output DROPTUNE_APP string = app.outputs.url
output STORAGE_ACCOUNT_NAME string = storage.outputs.name
output DATASETS_URL string = '${storage.outputs.blobEndpoint}datasets'
output EVENT_GRID_TOPIC_NAME string = events.outputs.name
output AZURE_OPENAI_ENDPOINT string = openAi.outputs.endpoint
