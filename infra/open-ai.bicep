// The Azure OpenAI account, new or there already, and the one role that fine-tunes and deploys on it.
param name string
param isNew bool
param location string
param tags object
param identityPrincipalId string

resource created 'Microsoft.CognitiveServices/accounts@2025-06-01' = if (isNew) {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = {
  name: name
}

// Cognitive Services OpenAI Contributor: files, fine-tuning and inference, and deployments/write and /delete.
var openAiContributor = 'a001fd3d-188f-4b5d-821b-7da978bf7442'

resource role 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(resourceGroup().id, name, identityPrincipalId, openAiContributor)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', openAiContributor)
  }
  dependsOn: [created]
}

output id string = account.id
output endpoint string = 'https://${name}.openai.azure.com'
